import json
import random
import signal
import subprocess
import sys

import pytest

from jobs.report_spool import ReportSpool, send_leftovers
from seedbed.errors import StoreError
from seedbed.reports import CHUNK_BYTES, LogReader, attempt_path
from seedbed.state import StateDirectory
from seedbed.store import Store

RUN = "tiny-0123abcd"


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def state(tmp_path):
    return StateDirectory(tmp_path / "state")


def chunks(store, source="driver", attempt=1):
    folder = f"{attempt_path(RUN, attempt)}/logs/{source}"
    return [store.read(f"{folder}/{name}") for name in store.names(folder)]


def told(store, attempt=1):
    return "".join(text for _, text in LogReader(store, RUN, attempt).new(1 << 30))


def test_a_chunk_grows_until_it_is_full_and_holds_whole_lines(store, state):
    spool = ReportSpool(state, store, RUN, 1)
    spool.log("driver", b"one\ntwo\ncut")
    spool.send(store)
    assert chunks(store) == [b"one\ntwo\n"]
    spool.log("driver", b" short\n")
    spool.send(store)
    assert chunks(store) == [b"one\ntwo\ncut short\n"]
    line = b"x" * 999 + b"\n"
    for _ in range(600):
        spool.log("driver", line)
    spool.send(store)
    first, second, third = chunks(store)
    # 18 bytes, and 262 lines of 1000: one more would be over 262,144
    assert (len(first), len(second)) == (262_018, 262_000)
    assert first + second + third == b"one\ntwo\ncut short\n" + line * 600
    assert max(len(first), len(second)) <= CHUNK_BYTES


def test_a_line_longer_than_a_chunk_is_cut(store, state):
    spool = ReportSpool(state, store, RUN, 1)
    spool.log("driver", b"y" * (CHUNK_BYTES + 5))
    spool.send(store)
    assert [len(chunk) for chunk in chunks(store)] == [CHUNK_BYTES]
    spool.send(store, final=True)
    assert [len(chunk) for chunk in chunks(store)] == [CHUNK_BYTES, 5]


def test_a_store_that_takes_nothing_for_a_while_gets_the_same_chunks(tmp_path, state):
    """Also when it is lost between two chunks: whatever is sent again is the same."""
    pick = random.Random(3)
    text = "".join(f"{n} {'z' * pick.randrange(2000)}\n" for n in range(2000)).encode()
    places = [Store(str(tmp_path / name)) for name in ("steady", "moody")]
    spools = [ReportSpool(state, place, RUN, number) for number, place in enumerate(places, start=1)]
    moody = places[1].write

    def write(path, data):
        if pick.random() < 0.7:
            raise StoreError("out of reach")
        moody(path, data)

    places[1].write = write
    for start in range(0, len(text), 50_000):
        for spool, place in zip(spools, places, strict=True):
            spool.log("driver", text[start : start + 50_000])
            try:
                spool.send(place)
            except StoreError:
                continue
    places[1].write = moody
    for spool, place in zip(spools, places, strict=True):
        spool.send(place, final=True)
    assert chunks(places[0], attempt=1) == chunks(places[1], attempt=2)
    assert b"".join(chunks(places[0])) == text


def test_of_a_journal_the_part_of_this_training_is_sent(store, state, tmp_path):
    journal = tmp_path / "x.journal"
    journal.write_bytes(b'{"step": 1}\n')
    spool = ReportSpool(state, store, RUN, 1)
    stream = spool.follow(journal)
    with journal.open("ab") as f:
        f.write(b'{"step": 2}\n')
    spool.send(store)
    spool.unfollow(stream)
    with journal.open("ab") as f:
        f.write(b'{"step": 3}\n')  # another run's
    spool.send(store, final=True)
    assert store.read(f"{attempt_path(RUN, 1)}/metrics/000000.jsonl") == b'{"step": 2}\n'


WRITER = """
import os, signal, sys
from jobs.report_spool import ReportSpool
from seedbed.state import StateDirectory
from seedbed.store import Store

store = Store(sys.argv[1])
spool = ReportSpool(StateDirectory(sys.argv[2]), store, sys.argv[3], 1)
for number in range(20_000):
    spool.log("driver", f"line {number} {'w' * 40}\\n".encode())
    if number % 3000 == 0:
        spool.send(store)
spool.log("driver", b"the last w")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_driver_leaves_is_whole_chunks_and_the_next_start_sends_the_rest(store, state):
    command = [sys.executable, "-c", WRITER, store.url, str(state.root), RUN]
    assert subprocess.run(command, timeout=120, check=False).returncode == -signal.SIGKILL
    before = told(store)
    lines = [f"line {number} {'w' * 40}" for number in range(20_000)]
    assert before.endswith("\n")
    assert before.splitlines() == lines[: len(before.splitlines())]
    assert 15_000 < len(before.splitlines()) < 20_000
    send_leftovers(store, state, RUN, but=2)
    assert told(store).splitlines() == [*lines, "the last w"]
    assert not list((state.root / "reports").rglob("0*"))


def test_how_it_ended_is_sent_by_the_next_start_too(store, state):
    spool = ReportSpool(state, store, RUN, 1)
    (spool.folder / "end.json").write_text(json.dumps({"exit_code": 1}))
    ReportSpool(state, store, RUN, 2).log("driver", b"mine\n")
    send_leftovers(store, state, RUN, but=2)
    assert json.loads(store.read(f"{attempt_path(RUN, 1)}/end.json")) == {"exit_code": 1}
    assert not store.exists(f"{attempt_path(RUN, 2)}/logs/driver/000000.log")


def test_what_was_left_for_another_store_is_not_sent_to_this_one(store, state, tmp_path):
    other = Store(str(tmp_path / "other"))
    ReportSpool(state, other, RUN, 1).log("driver", b"for the other\n")
    ReportSpool(state, store, RUN, 1).log("driver", b"from before the store was emptied\n")
    spool = ReportSpool(state, store, RUN, 1)
    spool.log("driver", b"mine\n")
    spool.send(store)
    send_leftovers(store, state, RUN, but=1)
    assert told(store) == "mine\n"
    send_leftovers(other, state, RUN, but=2)
    assert told(other) == "for the other\n"
