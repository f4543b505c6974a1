"""Units on a real Ray; what they do is in tests/importable/unit_functions.py."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import executor
from jobs.ending import Stopped
from jobs.executor import InlineExecutor, RayExecutor
from jobs.unit import UnitTask
from seedbed.artifact import Artifact
from seedbed.errors import ConservationError, InfrastructureError, StoreError
from seedbed.store import Store


@pytest.fixture
def tries(tmp_path):
    """A folder with a file for every try of a unit."""
    (tmp_path / "tries").mkdir()
    return tmp_path / "tries"


@pytest.fixture
def task(tmp_path, tries):
    def make(function, unit="00000", **arguments):
        return UnitTask(
            store_url=str(tmp_path / "store"),
            scratch_dir=str(tmp_path / "scratch"),
            kind="clean",
            fingerprint="12ab",
            parents={},
            config={},
            phase="map",
            unit=unit,
            function=f"unit_functions:{function}",
            arguments={"folder": str(tries), **arguments},
        )

    return make


@pytest.fixture
def quick(monkeypatch):
    """The pauses before new tries are short."""
    monkeypatch.setattr(executor, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
def done():
    """Unit -> its report, once `on_done` has told of it."""
    return {}


def note(done):
    def on_done(task, report):
        assert task.unit not in done
        done[task.unit] = report

    return on_done


def counts(done):
    return {unit: report.counts["number"] for unit, report in done.items()}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_session", "quick")]


def test_every_report_arrives_once_and_is_in_the_store(task, done, tmp_path, tries):
    units = [f"{number:05d}" for number in range(7)]
    tasks = [task("answers", unit, number=int(unit)) for unit in units]
    RayExecutor(workers=3, max_retries=0).run(tasks, note(done))
    assert counts(done) == {unit: int(unit) for unit in units}
    assert len(list(tries.iterdir())) == 7
    artifact = Artifact(Store(str(tmp_path / "store")), "clean", "12ab")
    for unit in units:
        written = artifact.report("map", unit)
        assert (written.counts, round(done[unit].seconds, 3)) == (done[unit].counts, written.seconds)


def test_what_is_given_to_all_units_of_a_phase_is_sent_once_and_arrives_at_each_try(task, done, tries, monkeypatch):
    put = []
    ray = pytest.importorskip("ray")
    real = ray.put
    monkeypatch.setattr(ray, "put", lambda value: put.append(value) or real(value))
    common = {"shards": {f"{n:05d}": n for n in range(3)}}
    tasks = [replace(task("looks_itself_up", unit), common=common) for unit in common["shards"]]
    tasks.append(replace(task("dies", "00003", times=1), common={"number": 7}))
    RayExecutor(workers=2, max_retries=1).run(tasks, note(done))
    assert counts(done) == {"00000": 0, "00001": 1, "00002": 2, "00003": 7}
    assert put[0] is common and put.count(common) == 1


def test_nothing_to_do_is_done_at_once(done):
    RayExecutor(workers=1, max_retries=0).run([], note(done))
    assert done == {}


def test_no_more_units_run_at_once_than_there_are_workers(task, done, tries):
    RayExecutor(workers=2, max_retries=0).run([task("says_when", str(n)) for n in range(5)], note(done))
    times = sorted(tuple(map(float, path.read_text().split())) for path in tries.iterdir())
    assert len(times) == 5
    for began, _ in times:
        assert sum(other_began <= began < other_ended for other_began, other_ended in times) <= 2


def test_as_many_units_run_at_once_as_there_are_workers(task, done):
    RayExecutor(workers=3, max_retries=0).run([task("meets", str(n), others=2) for n in range(3)], note(done))
    assert len(done) == 3


def test_a_unit_whose_worker_is_killed_is_done_again(task, done, tries):
    tasks = [task("answers", "00000", number=5), task("dies", "00001", times=1)]
    RayExecutor(workers=2, max_retries=1).run(tasks, note(done))
    assert counts(done) == {"00000": 5, "00001": 1}
    assert len(list(tries.glob("00001-*"))) == 2


def test_a_unit_that_always_dies_fails_the_run_as_infrastructure(task, done, tries, tmp_path):
    tasks = [task("answers", "00000", number=5), task("dies", "00001", times=99)]
    with pytest.raises(InfrastructureError) as failed:
        RayExecutor(workers=2, max_retries=2).run(tasks, note(done))
    said = str(failed.value)
    assert said.startswith("clean map 00001: gave up after 3 tries, the last time: WorkerCrashedError: ")
    assert said.endswith("; nothing that was done is lost: run the same command again")
    assert "\n" not in said
    assert len(list(tries.glob("00001-*"))) == 3
    assert counts(done) == {"00000": 5}
    assert Artifact(Store(str(tmp_path / "store")), "clean", "12ab").report("map", "00000").counts == {"number": 5}


def test_an_error_of_the_data_fails_the_run_at_once_as_what_it_is(task, done, tries):
    with pytest.raises(ConservationError) as failed:
        RayExecutor(workers=1, max_retries=3).run([task("loses_records")], note(done))
    assert type(failed.value) is ConservationError
    assert str(failed.value) == "clean map 00000: 2 records in, but 1 out and 0 dropped"
    assert len(list(tries.iterdir())) == 1


def test_a_store_that_is_away_for_a_moment_is_tried_again(task, done, tries):
    flaky = task("misses_the_store", times=2, transient=True)
    RayExecutor(workers=1, max_retries=2).run([flaky], note(done))
    assert counts(done) == {"00000": 1}
    assert len(list(tries.iterdir())) == 3


def test_a_store_that_stays_away_fails_the_run_as_infrastructure(task, done):
    with pytest.raises(InfrastructureError) as failed:
        RayExecutor(workers=1, max_retries=1).run([task("misses_the_store", times=9, transient=True)], note(done))
    assert str(failed.value) == (
        "clean map 00000: gave up after 2 tries, the last time: cannot read s3://bucket/x: the network is away; "
        "nothing that was done is lost: run the same command again"
    )


def test_a_store_that_will_not_come_back_is_not_tried_again(task, done, tries):
    with pytest.raises(StoreError) as failed:
        RayExecutor(workers=1, max_retries=3).run([task("misses_the_store", times=9, transient=False)], note(done))
    assert str(failed.value) == "cannot read s3://bucket/x: the network is away"
    assert len(list(tries.iterdir())) == 1


def test_a_unit_that_takes_too_long_is_ended_and_done_again(task, done, tries):
    """More tries than two: on a loaded machine, a worker that has yet to start takes longer than this timeout."""
    RayExecutor(workers=1, max_retries=20, timeout_s=2.0).run([task("hangs", times=1)], note(done))
    assert counts(done) == {"00000": 1}
    assert len(list(tries.iterdir())) >= 2


def test_a_unit_that_always_takes_too_long_fails_the_run(task, done):
    with pytest.raises(InfrastructureError) as failed:
        RayExecutor(workers=1, max_retries=0, timeout_s=0.5).run([task("hangs", times=9)], note(done))
    assert str(failed.value) == (
        "clean map 00000: gave up after 1 tries, the last time: it took more than cluster.shard_timeout_s, 0.5 s; "
        "nothing that was done is lost: run the same command again"
    )


def test_a_defect_comes_out_with_its_own_name_and_message(task, done, tries):
    with pytest.raises(KeyError) as failed:
        RayExecutor(workers=1, max_retries=3).run([task("breaks")], note(done))
    assert str(failed.value) == "'a defect'"
    assert "in breaks" in str(failed.value.__cause__)  # the worker's own traceback
    assert len(list(tries.iterdir())) == 1


def test_a_defect_that_cannot_be_sent_is_not_taken_for_a_lost_worker(task, done, tries):
    with pytest.raises(Exception, match="OddError: a defect at an odd place"):
        RayExecutor(workers=1, max_retries=3).run([task("breaks_oddly")], note(done))
    assert len(list(tries.iterdir())) == 1


def test_when_one_unit_fails_the_others_are_ended(task, done, tries):
    started = time.monotonic()
    with pytest.raises(ConservationError):
        RayExecutor(workers=2, max_retries=0).run(
            [task("hangs", "00000", times=1), task("loses_records", "00001")], note(done)
        )
    # The next ones find room.
    RayExecutor(workers=4, max_retries=0).run([task("answers", f"{n}") for n in range(4)], note(done))
    assert len(done) == 4
    assert time.monotonic() - started < 60


def test_pauses_grow_up_to_a_limit(monkeypatch, task):
    monkeypatch.setattr(executor, "FIRST_PAUSE_S", 0.5)
    monkeypatch.setattr(executor.time, "monotonic", lambda: 100.0)
    attempt = executor._Try(task("answers"), 0)
    pauses = []
    for _ in range(8):
        attempt = RayExecutor(workers=1, max_retries=9)._again(attempt, "lost")
        pauses.append(attempt.not_before - 100)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_who_is_asked_to_stop_ends_the_units_under_way_and_begins_no_other(task, done, tries):
    def stop_requested():
        return "ana asked to stop" if done else None

    units = [task("says_when", str(n)) for n in range(20)]
    with pytest.raises(Stopped, match="ana asked to stop: it has stopped between two units; the same command goes on"):
        RayExecutor(workers=2, max_retries=0).run(units, note(done), stop_requested)
    assert len(done) in (2, 3)  # when the first had ended, one more may have begun
    assert {path.name for path in tries.iterdir()} == set(done)
    with pytest.raises(Stopped):
        InlineExecutor().run(units, note(done), stop_requested)


def test_who_is_asked_to_stop_when_all_is_done_has_nothing_to_stop(task, done):
    RayExecutor(workers=2, max_retries=0).run([task("answers")], note(done), lambda: "asked" if done else None)
    assert set(done) == {"00000"}


def test_in_this_process_units_are_done_one_after_another(task, done, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "importable"))
    order = []
    InlineExecutor().run(
        [task("answers", str(n), number=n) for n in (2, 1)], lambda task, report: order.append(task.unit)
    )
    assert order == ["2", "1"]
    with pytest.raises(KeyError):
        InlineExecutor().run([task("breaks")], note(done))
