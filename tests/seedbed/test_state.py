import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from seedbed.errors import StoreError
from seedbed.state import StateDirectory

HOLD = """
import sys
from seedbed.state import StateDirectory
with StateDirectory(sys.argv[1]).lease(sys.argv[2], on_wait=lambda holder: print("waits for", holder, flush=True)):
    print("holds", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def hold(start, tmp_path):
    return lambda name: start(HOLD, tmp_path, name)


def never(holder):
    raise AssertionError(f"waits for {holder}")


def test_a_folder_is_made_when_it_is_first_asked_for(tmp_path):
    state = StateDirectory(tmp_path / "deep" / "state")
    assert not (tmp_path / "deep").exists()
    assert state.folder("logs") == tmp_path / "deep" / "state" / "logs"
    assert state.folder("logs").is_dir()


def test_a_relative_state_directory_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    state = StateDirectory("state")
    monkeypatch.chdir("/")
    assert state.folder("logs") == tmp_path / "state" / "logs"


def test_a_state_directory_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError) as refused:
        StateDirectory(tmp_path / "file").folder("logs")
    assert str(refused.value) == f"cannot make {tmp_path}/file/logs: Not a directory; take another --state"


def test_a_lease_is_held_until_its_block_ends(tmp_path):
    state = StateDirectory(tmp_path)
    assert not state.is_leased("run-1")
    with state.lease("run-1", on_wait=never):
        assert state.is_leased("run-1")
        assert not state.is_leased("run-2")
    assert not state.is_leased("run-1")
    with pytest.raises(ValueError), state.lease("run-1", on_wait=never):
        raise ValueError
    assert not state.is_leased("run-1")
    with state.lease("run-1", on_wait=never):
        pass


def test_who_waits_is_told_once_by_whom_and_goes_on_when_the_other_is_done(tmp_path, hold):
    holder = hold("run-1")
    assert holder.says() == "holds"
    assert StateDirectory(tmp_path).is_leased("run-1")
    waiting = hold("run-1")
    told = waiting.says().removeprefix("waits for ")
    who = re.escape(f"process {holder.process.pid} on {socket.gethostname()}, since ")
    assert re.fullmatch(who + r"([\d-]{10} )?\d\d:\d\d:\d\d", told)  # with the day where that is another
    holder.let_go()
    assert waiting.says() == "holds"
    waiting.let_go()
    assert not StateDirectory(tmp_path).is_leased("run-1")


def test_a_lease_goes_with_its_process(tmp_path, hold):
    holder = hold("run-1")
    assert holder.says() == "holds"
    waiting = hold("run-1")
    assert waiting.says().startswith("waits for ")
    os.kill(holder.process.pid, signal.SIGKILL)
    assert waiting.says() == "holds"
    os.kill(waiting.process.pid, signal.SIGKILL)
    waiting.process.wait()
    with StateDirectory(tmp_path).lease("run-1", on_wait=never):
        pass


def test_of_many_processes_one_at_a_time_holds_a_lease(tmp_path):
    # Each adds one to a number in a file, reading and writing it apart: without the lease some would be lost.
    add = """
import sys, time
from pathlib import Path
from seedbed.state import StateDirectory
number = Path(sys.argv[1]) / "number"
for _ in range(20):
    with StateDirectory(sys.argv[1]).lease("number", on_wait=lambda holder: None):
        found = int(number.read_text())
        time.sleep(0.001)
        number.write_text(str(found + 1))
"""
    (tmp_path / "number").write_text("0")
    adders = [subprocess.Popen([sys.executable, "-c", add, str(tmp_path)]) for _ in range(3)]
    assert [adder.wait(timeout=60) for adder in adders] == [0, 0, 0]
    assert (tmp_path / "number").read_text() == "60"
