import json

import pytest

from jobs.ending import Stopped
from jobs.pretrain import spool
from seedbed.tracking import journal


def lines(path, offset=0):
    return [line for line, _ in journal.read_from(path, offset)]


def test_the_journal_has_what_both_spools_have_in_the_order_of_writing(tmp_path):
    metrics, events = spool.metrics_path(str(tmp_path), "abc"), spool.events_path(str(tmp_path), "abc")
    spool.append(events, {"event": "started"})
    spool.append(metrics, {"step": 1})
    spool.append(events, {"event": "checkpoint", "step": 1})
    spool.append(metrics, {"step": 2})
    assert lines(journal.journal_path(tmp_path, "abc")) == [
        {"event": "started"},
        {"step": 1},
        {"event": "checkpoint", "step": 1},
        {"step": 2},
    ]


def test_steps_that_a_restart_takes_back_stay_in_the_journal(tmp_path):
    metrics = spool.metrics_path(str(tmp_path), "abc")
    for step in (1, 2, 3):
        spool.append(metrics, {"step": step})
    spool.replace(metrics, b'{"step":1}\n')  # what the checkpoint of step 1 carries
    spool.append(metrics, {"step": 2})
    assert [record["step"] for record in spool.read(metrics)] == [1, 2]
    assert [line["step"] for line in lines(journal.beside(metrics))] == [1, 2, 3, 2]


def test_what_a_checkpoint_of_another_machine_brings_is_written_down(tmp_path):
    metrics = spool.metrics_path(str(tmp_path), "abc")
    spool.replace(metrics, b'{"step":1}\n{"step":2}\n')
    spool.replace(metrics, b'{"step":1}\n{"step":2}\n')  # taken up again: nothing new
    assert lines(journal.beside(metrics)) == [{"event": "restored", "record": {"step": n}} for n in (1, 2)]


def test_reading_goes_on_at_an_offset_and_waits_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "x.journal.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2}\n{"st')
    [first, second] = journal.read_from(path, 0)
    assert (first, second) == (({"step": 1}, 11), ({"step": 2}, 22))
    with path.open("ab") as f:
        f.write(b'ep":3}\n')
    assert lines(path, 22) == [{"step": 3}]


def test_a_line_that_a_full_disk_cut_costs_no_other_line(tmp_path):
    path = tmp_path / "x.journal.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2,"lo{"step":3}\n{"step":4}\n')
    assert lines(path) == [{"step": 1}, {"step": 4}]


def test_lines_longer_than_a_read_come_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "CHUNK_BYTES", 7)
    path = tmp_path / "x.journal.jsonl"
    for step in range(20):
        journal.append(path, {"step": step, "text": "é" * step})
    assert [line["step"] for line in lines(path)] == list(range(20))


def test_a_session_says_how_it_ended(tmp_path):
    path = tmp_path / "x.journal.jsonl"
    with journal.driver_session(path, "a-1", {"training_ranks": 2}, None):
        pass
    with pytest.raises(ValueError), journal.driver_session(path, "a-1", {}, 1e12):
        raise ValueError("the loss is nan")
    for stopped in (Stopped("SIGTERM: training has stopped"), KeyboardInterrupt()):
        with pytest.raises(type(stopped)), journal.driver_session(path, "a-1", {}, None):
            raise stopped
    assert [(line["event"], line.get("error") or line.get("stopped")) for line in lines(path)] == [
        ("driver_started", None),
        ("finished", None),
        ("driver_ended", None),
        ("driver_started", None),
        ("driver_ended", "ValueError: the loss is nan"),
        ("driver_started", None),
        ("driver_ended", "Stopped: SIGTERM: training has stopped"),
        ("driver_started", None),
        ("driver_ended", "KeyboardInterrupt: "),
    ]
    assert all(json.dumps(line) for line in lines(path))
