import json
import time

import pytest

from seedbed import reports
from seedbed.reports import LogReader, MetricsReader, attempt_path, chunk_path
from seedbed.store import Store

RUN = "tiny-0123abcd"


@pytest.fixture
def store(store_url):
    return Store(store_url)


def put_log(store, source, number, text, attempt=1):
    store.write(chunk_path(f"{attempt_path(RUN, attempt)}/logs/{source}", number, "log"), text.encode())


def put_metrics(store, attempt, number, *lines):
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    store.write(chunk_path(f"{attempt_path(RUN, attempt)}/metrics", number, "jsonl"), data)


def test_before_anything_was_said_there_is_nothing(store):
    assert reports.attempts(store, RUN) == []
    assert reports.latest_attempt(store, RUN) is None
    assert reports.read_heartbeat(store, RUN, 1) is None
    assert reports.read_end(store, RUN, 1) is None
    assert reports.read_request(store, RUN) is None
    assert LogReader(store, RUN, 1).new() == []
    assert not MetricsReader(store, RUN).look()


def test_an_attempt_is_found_by_the_jobs_number(store):
    for number, (job, attempt) in enumerate([(None, 1), (12, 1), (12, 2)], start=1):
        beat = json.dumps({"job": job, "attempt": attempt}).encode()
        store.write(f"{attempt_path(RUN, number)}/heartbeat.json", beat)
    assert reports.latest_attempt(store, RUN) == 3
    assert reports.find_attempt(store, RUN, job=12, attempt=1) == 2
    assert reports.find_attempt(store, RUN, job=12, attempt=3) is None


def test_a_request_says_who_asks_and_can_be_withdrawn(store):
    reports.ask(store, RUN, reports.STOP, "ana", "the cluster is needed", job=12)
    request = reports.read_request(store, RUN)
    assert (request.desired, request.by, request.job) == ("stop", "ana", 12)
    assert time.time() - 60 < request.at <= time.time()
    assert request.in_words() == "ana asked to stop (the cluster is needed)"
    reports.ask(store, RUN, reports.STOP_NOW, "ana")
    assert reports.read_request(store, RUN).in_words() == "ana asked to stop at once"
    reports.withdraw_request(store, RUN)
    assert reports.read_request(store, RUN) is None


def test_a_damaged_file_is_one_that_is_not_there(store):
    store.write(f"{attempt_path(RUN, 1)}/heartbeat.json", b'{"at": 1')
    store.write(f"runs/{RUN}/request.json", b'{"wish": "stop"}')
    assert reports.read_heartbeat(store, RUN, 1) is None
    assert reports.read_request(store, RUN) is None


def test_logs_are_followed_over_chunks_that_grow_and_end(store):
    reader = LogReader(store, RUN, 1)
    put_log(store, "driver", 0, "one\n")
    assert reader.new() == [("driver", "one\n")]
    assert reader.new() == []
    put_log(store, "driver", 0, "one\ntwo\n")
    put_log(store, "rank-00000", 0, "hello\n")
    assert reader.new() == [("driver", "two\n"), ("rank-00000", "hello\n")]
    put_log(store, "driver", 0, "one\ntwo\nthree\n")
    put_log(store, "driver", 1, "four\n")
    assert reader.new() == [("driver", "three\n"), ("driver", "four\n")]
    # Another reader goes on from a position that was kept as JSON, and may want one source.
    position = json.loads(json.dumps(reader.position))
    put_log(store, "driver", 1, "four\nfive\n")
    put_log(store, "rank-00000", 0, "hello\nthere\n")
    other = LogReader(store, RUN, 1, "driver", {source: tuple(at) for source, at in position.items()})
    assert other.new() == [("driver", "five\n")]


def test_a_reader_takes_no_more_than_it_was_told_at_once(store):
    for number in range(3):
        put_log(store, "driver", number, "x" * 99 + "\n")
    reader = LogReader(store, RUN, 1)
    assert [len(text) for _, text in reader.new(max_bytes=150)] == [100, 100]
    assert [len(text) for _, text in reader.new(max_bytes=150)] == [100]


@pytest.mark.parametrize(
    ("num_bytes", "expected"),
    [(5, "c\nd\n"), (8, "b\nc\nd\n"), (1000, "aaa\nb\nc\nd\n"), (0, ""), (1, "")],
)
def test_the_end_of_a_log_begins_with_a_whole_line(tmp_path, num_bytes, expected):
    store = Store(str(tmp_path))
    put_log(store, "driver", 0, "aaa\nb\n")
    put_log(store, "driver", 1, "c\nd\n")
    reader = LogReader(store, RUN, 1)
    reader.skip_to_end(num_bytes)
    assert "".join(text for _, text in reader.new()) == expected


def test_metrics_of_all_attempts_make_one_curve(store):
    put_metrics(store, 1, 0, {"event": "taken_up", "step": 0, "time": 1.0}, {"step": 1, "loss": 3.0})
    reader = MetricsReader(store, RUN)
    assert reader.look()
    assert not reader.look()
    put_metrics(
        store, 1, 0, {"event": "taken_up", "step": 0, "time": 1.0}, {"step": 1, "loss": 3.0}, {"step": 2, "loss": 2}
    )
    put_metrics(store, 1, 1, {"step": 3, "loss": 1.0})
    store.write(f"{attempt_path(RUN, 1)}/end.json", b'{"exit_code": 1}')
    put_metrics(store, 2, 0, {"event": "taken_up", "step": 2, "time": 9.0}, {"step": 3, "loss": 1.5})
    assert reader.look()
    assert [(p.step, p.value) for p in reader.curves.series("loss")] == [(1, 3.0), (2, 2.0), (3, 1.5)]
    assert not reader.look()


def test_a_training_that_another_run_has_made_has_its_curve_too(store):
    reader = MetricsReader(store, RUN, pretrain="steps/pretrain-12ab")
    assert not reader.look()
    store.write("steps/pretrain-12ab/metrics.jsonl", b'{"step":1,"loss":3.0}\n{"step":2,"loss":2.0}\n')
    assert reader.look()
    assert [(p.step, p.value) for p in reader.curves.series("loss")] == [(1, 3.0), (2, 2.0)]
    assert not reader.look()
