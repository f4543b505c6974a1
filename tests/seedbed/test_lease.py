"""Leases in a folder and on an S3 server; processes of this machine with state directories of their own, as two
machines have them."""

import json
import os
import signal
import socket
import time

import pytest

from seedbed import lease
from seedbed.lease import BEAT_S, EXPIRY_S, Leases
from seedbed.state import StateDirectory
from seedbed.store import Store

HOLD = """
import sys
from seedbed import lease
from seedbed.state import StateDirectory
from seedbed.store import Store
lease.POLL_S = 0.05
leases = lease.Leases(Store(sys.argv[1]), StateDirectory(sys.argv[2]))
with leases.hold("run-1", lambda holder: print("waits for", holder, flush=True)):
    print("holds", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def leases(store, tmp_path):
    return Leases(store, StateDirectory(tmp_path / "state"))


@pytest.fixture
def hold(start, store, tmp_path):
    """Starts a process that takes the lease `run-1`, from a machine with this number."""
    return lambda machine: start(HOLD, store.url, tmp_path / f"state-{machine}")


def never(holder):
    raise AssertionError(f"waits for {holder}")


def test_a_lease_is_held_until_its_block_ends(leases, store):
    assert not leases.is_held("run-1")
    with leases.hold("run-1", never):
        assert leases.is_held("run-1")
        assert not leases.is_held("run-2")
        with leases.hold("run-2", never):
            pass
    assert not leases.is_held("run-1")
    with pytest.raises(ValueError), leases.hold("run-1", never):
        raise ValueError
    assert not leases.is_held("run-1")
    with leases.hold("run-1", never):
        pass


@pytest.mark.parametrize("other", [1, 2], ids=["one-machine", "two-machines"])
def test_who_waits_is_told_once_by_whom_and_goes_on_when_the_other_is_done(leases, hold, other):
    holder = hold(1)
    assert holder.says() == "holds"
    assert leases.is_held("run-1")
    waiting = hold(other)
    told = waiting.says()
    assert told.startswith("waits for ")
    assert str(holder.process.pid) in told
    assert socket.gethostname() in told
    holder.let_go()
    assert waiting.says() == "holds"
    waiting.let_go()
    assert not leases.is_held("run-1")


@pytest.mark.parametrize("other", [1, 2], ids=["one-machine", "two-machines"])
def test_a_lease_goes_with_its_process(leases, hold, other):
    holder = hold(1)
    assert holder.says() == "holds"
    waiting = hold(other)
    assert waiting.says().startswith("waits for ")
    os.kill(holder.process.pid, signal.SIGKILL)
    holder.process.wait()
    assert waiting.says() == "holds"
    os.kill(waiting.process.pid, signal.SIGKILL)
    waiting.process.wait()
    assert not leases.is_held("run-1")
    with leases.hold("run-1", never):
        pass


def holder_elsewhere(seconds_ago):
    return json.dumps({"pid": 1, "host": "elsewhere", "token": "12ab", "beat_at": time.time() - seconds_ago}).encode()


@pytest.mark.slow
def test_on_an_object_store_a_lease_of_another_machine_lasts_while_it_is_refreshed(s3_url, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "POLL_S", 0.05)
    store = Store(s3_url)
    leases = Leases(store, StateDirectory(tmp_path))
    store.write("locks/run-1.json", holder_elsewhere(seconds_ago=BEAT_S))
    assert leases.is_held("run-1")
    store.write("locks/run-1.json", holder_elsewhere(seconds_ago=EXPIRY_S + 1))
    assert not leases.is_held("run-1")
    with leases.hold("run-1", never):
        assert json.loads(store.read("locks/run-1.json"))["pid"] == os.getpid()
    assert store.names("locks") == []


@pytest.mark.slow
def test_on_an_object_store_a_holder_keeps_its_lease_fresh(s3_url, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_S", 0.05)
    store = Store(s3_url)
    with Leases(store, StateDirectory(tmp_path)).hold("run-1", never):
        first = json.loads(store.read("locks/run-1.json"))
        time.sleep(0.5)
        later = json.loads(store.read("locks/run-1.json"))
    assert later["beat_at"] > first["beat_at"]
    assert {key: later[key] for key in ("pid", "host", "token")} == {
        key: first[key] for key in ("pid", "host", "token")
    }
    assert not store.exists("locks/run-1.json")
