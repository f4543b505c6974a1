"""The reporter beside a driver that is played by the test."""

import contextlib
import io
import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dataprep.tally import Tally
from jobs.ending import EndingSignals
from jobs.reporter import Reporter
from seedbed import reports
from seedbed.artifact import Report
from seedbed.launch import Launch
from seedbed.plan import make_plan
from seedbed.progress import Progress
from seedbed.reports import LogReader, attempt_path
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking import journal

EVERY_S = 0.02


class Driver:
    """What a reporter is told by a driver."""

    def __init__(self, run_file, store, state, **launch):
        self.store, self.state = store, state
        self.plan = make_plan(load_run(run_file), store)
        self.run_id = self.plan.run_id
        launch = Launch(store.url, str(state.root), self.run_id, None, None, **launch)
        self.signals = EndingSignals()
        self.reporter = Reporter(launch, store, state, self.signals, EVERY_S)
        self.progress = Progress(io.StringIO(), on_say=self.reporter.say)

    def begin(self, attempt=1):
        self.reporter.begin(attempt, self.plan, self.progress)

    def heartbeat(self, attempt=1):
        return reports.read_heartbeat(self.store, self.run_id, attempt)

    def heartbeat_where(self, is_so):
        return until(lambda: (beat := self.heartbeat()) is not None and is_so(beat) and beat)

    def log(self, attempt=1):
        return "".join(text for _, text in LogReader(self.store, self.run_id, attempt, "driver").new())


def until(found, timeout_s=30):
    """What `found` gives once it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


@pytest.fixture
def driver(small_run_file, tmp_path):
    made = Driver(small_run_file, Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state"), job=12, attempt=3)
    yield made
    made.reporter.end(0, "finished", None, None)


def test_a_heartbeat_says_how_far_a_data_step_is(driver):
    driver.progress.say("said before the run had a number")
    driver.begin()
    driver.progress.begin("extract")
    with driver.progress.task("extract", total=4, done=1) as advance:
        advance(Report(tally_in=Tally(records=1000)))
        beat = driver.heartbeat_where(lambda beat: beat["done"] == 2)
    assert (beat["job"], beat["attempt"], beat["step"], beat["phase"]) == (12, 3, "extract", None)
    assert (beat["total"], beat["unit"], beat["rate_unit"]) == (4, "units", "records/s")
    assert beat["rate"] > 0
    assert beat["step_seconds_left"] is not None
    assert beat["seconds_left"] is None  # nobody knows how long the other data steps take
    assert beat["training"] is None
    until(lambda: driver.log() == "said before the run had a number\n")
    later = driver.heartbeat_where(lambda told: told["sequence"] > beat["sequence"])
    assert later["at"] > beat["at"]


def test_a_heartbeat_says_how_a_training_goes_and_its_journal_becomes_the_metrics(driver, tmp_path):
    path = tmp_path / "state" / "metrics" / "abc.journal"
    journal.append(path, {"step": 99, "loss": 99.0})  # of an earlier one
    driver.begin()
    for kind in driver.plan.steps[:9]:
        driver.reporter.step_is_done(kind.kind)
    driver.progress.begin("pretrain")
    with driver.reporter.following(path), driver.progress.task("pretrain", 12, unit="steps") as advance:
        journal.append(path, {"step": 1, "time": 1.0, "loss": 5.0, "validation_loss": 5.5, "tokens_per_second": 10.0})
        advance("loss 5")
        journal.append(path, {"event": "checkpoint", "time": 1.5, "step": 1})
        journal.append(path, {"event": "spending", "time": 1.5, "flops": 7})
        time.sleep(0.05)
        journal.append(path, {"step": 2, "time": 2.0, "loss": 4.0, "tokens_per_second": 20.0})
        advance("loss 4")
        beat = driver.heartbeat_where(lambda beat: (beat["training"] or {}).get("step") == 2)
        assert (beat["training"]["loss"], beat["training"]["validation_loss"]) == (4.0, 5.5)
        assert beat["training"]["num_steps"] == 12
        assert (beat["rate"], beat["rate_unit"], beat["checkpoint_step"]) == (20.0, "tokens/s", 1)
        assert beat["spending"] == {"flops": 7}
        beat = driver.heartbeat_where(lambda beat: beat["done"] == 2)
        assert beat["seconds_left"] == beat["step_seconds_left"] > 0  # what comes after takes little
    journal.append(path, {"step": 98, "loss": 98.0})  # of a later one
    driver.reporter.end(0, "finished", None, None)
    metrics = driver.store.read(f"{attempt_path(driver.run_id, 1)}/metrics/000000.jsonl")
    assert [json.loads(line).get("step") for line in metrics.splitlines()] == [1, 1, None, 2]


def test_the_end_is_told_last_and_leaves_nothing_behind(driver):
    driver.begin()
    driver.progress.begin("export")
    driver.reporter.print_of_rank(3, b"bye\nwithout an end")
    assert driver.reporter.end(2, "failed", "user_error", "no such key") is None
    end = reports.read_end(driver.store, driver.run_id, 1)
    assert end.pop("at") <= time.time()
    assert end == {
        "exit_code": 2,
        "state": "failed",
        "failure": "user_error",
        "reason": "no such key",
        "step": "export",
    }
    assert LogReader(driver.store, driver.run_id, 1).new() == [("rank-00003", "bye\nwithout an end")]
    assert not list((driver.state.root / "reports").rglob("0001"))


def test_a_store_that_is_gone_for_a_while_delays_what_is_told_and_loses_nothing(driver, tmp_path):
    driver.begin()
    driver.progress.say("line 0")
    first = driver.heartbeat_where(lambda beat: beat["sequence"] > 2)
    (tmp_path / "store").rename(tmp_path / "away")
    (tmp_path / "store").write_text("a file stands where the folder was")
    until(lambda: driver.reporter.fault)
    for number in range(1, 20_000):
        driver.progress.say(f"line {number} {'v' * 30}")
    assert driver.reporter.fault
    (tmp_path / "store").unlink()
    (tmp_path / "away").rename(tmp_path / "store")
    later = driver.heartbeat_where(lambda beat: beat["sequence"] > first["sequence"] + 20)
    assert later["at"] > first["at"]
    assert driver.reporter.end(0, "finished", None, None) is None
    assert [line.split()[1] for line in driver.log().splitlines()] == [str(number) for number in range(20_000)]


class Road:
    """The way to an S3 server: it can be closed, and opened again."""

    def __init__(self, endpoint):
        self._target = (urlsplit(endpoint).hostname, urlsplit(endpoint).port)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()

    def open(self):
        self._ends = []
        self._door = socket.create_server(self.address, reuse_port=False)
        threading.Thread(target=self._welcome, args=(self._door,), daemon=True).start()

    def _welcome(self, door):
        with contextlib.suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.create_connection(self._target)
                self._ends += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self._door.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        for end in (self._door, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def road(s3_endpoint, s3_url, monkeypatch):
    from s3fs import S3FileSystem

    road = Road(s3_endpoint)
    road.open()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{road.address[1]}")
    S3FileSystem.clear_instance_cache()  # it remembers another way
    yield road
    S3FileSystem.clear_instance_cache()


@pytest.mark.slow
def test_an_object_store_that_cannot_be_reached_for_a_while(road, s3_url, small_run_file, tmp_path):
    driver = Driver(small_run_file, Store(s3_url), StateDirectory(tmp_path / "state"))
    driver.begin()
    driver.progress.say("before")
    first = driver.heartbeat_where(lambda beat: beat["sequence"] > 1)
    road.close()
    until(lambda: driver.reporter.fault)
    for number in range(1000):
        driver.progress.say(f"while it was gone {number}")
    assert driver.reporter.fault
    road.open()
    driver.heartbeat_where(lambda beat: beat["sequence"] > first["sequence"] + 5)
    assert driver.reporter.end(0, "finished", None, None) is None
    assert reports.read_end(driver.store, driver.run_id, 1)["exit_code"] == 0
    assert driver.log().splitlines() == ["before", *(f"while it was gone {number}" for number in range(1000))]


def test_a_store_that_stays_away_is_told_to_the_user_and_the_next_start_brings_it(driver, tmp_path, small_run_file):
    driver.begin()
    driver.progress.say("heard")
    until(lambda: driver.log() == "heard\n")
    (tmp_path / "store").rename(tmp_path / "away")
    (tmp_path / "store").write_text("a file stands where the folder was")
    until(lambda: driver.reporter.fault)
    driver.progress.say("not heard")
    told = driver.reporter.end(1, "failed", "node_lost", "the store is gone")
    assert told.startswith("reports: the store did not take everything (cannot write ")
    assert told.endswith("and the next start of this run here sends it")
    (tmp_path / "store").unlink()
    (tmp_path / "away").rename(tmp_path / "store")
    again = Driver(small_run_file, driver.store, driver.state)
    again.begin(attempt=2)
    assert until(lambda: reports.read_end(driver.store, driver.run_id, 1))["reason"] == "the store is gone"
    assert driver.log() == "heard\nnot heard\n"
    again.reporter.end(0, "finished", None, None)


def test_a_request_to_stop_is_heard_with_who_asks(driver):
    driver.begin()
    assert driver.signals.stop_requested() is None
    reports.ask(driver.store, driver.run_id, reports.STOP, "ana", "lunch", job=11)  # another job's
    time.sleep(5 * EVERY_S)
    assert driver.signals.stop_requested() is None
    reports.ask(driver.store, driver.run_id, reports.STOP, "ana", "lunch", job=12)
    assert until(driver.signals.stop_requested) == "ana asked to stop (lunch)"


def test_a_request_from_before_the_start_is_taken_away(small_run_file, tmp_path):
    store, state = Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state")
    driver = Driver(small_run_file, store, state, at=time.time() + 3600)
    reports.ask(store, driver.run_id, reports.STOP, "ana")
    driver.begin()
    until(lambda: reports.read_request(store, driver.run_id) is None)
    assert driver.signals.stop_requested() is None
    driver.reporter.end(0, "finished", None, None)


def test_a_state_directory_that_takes_nothing_ends_no_run(small_run_file, tmp_path):
    (tmp_path / "state").write_text("a file")
    driver = Driver(small_run_file, Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state"))
    driver.begin()
    driver.progress.say("a line")
    driver.reporter.print_of_rank(0, b"a line\n")
    with driver.reporter.following(Path(tmp_path / "state" / "x.journal")):
        pass
    assert driver.reporter.end(0, "finished", None, None) is None
