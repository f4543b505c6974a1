import pytest

from dataprep.errors import CorruptDataError
from seedbed import runs
from seedbed.errors import UsageError
from seedbed.lease import Leases
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run, write_resolved
from seedbed.runs import RunRecord
from seedbed.show import run_summary
from seedbed.store import Store


def record(run, name="demo", created_at="2025-01-01T00:00:00Z", **more):
    return RunRecord(run, name, created_at, **more)


def test_a_run_remembers_its_attempts(store, monkeypatch):
    times = iter(["10:00", "10:05", "11:00", "11:05", "12:00"])
    monkeypatch.setattr(runs, "now", lambda: next(times))
    run = record("demo-1")
    assert run.state == "planned"
    run.begin_attempt()
    run.end_attempt(runs.FAILED, "the disk is full")
    assert (run.state, run.error) == ("failed", "the disk is full")
    run.begin_attempt()
    assert (run.state, run.error) == ("running", None)
    run.end_attempt(runs.FINISHED)
    run.begin_attempt()
    assert run.attempts == [
        {"started_at": "10:00", "ended_at": "10:05", "state": "failed"},
        {"started_at": "11:00", "ended_at": "11:05", "state": "finished"},
        {"started_at": "12:00"},
    ]
    runs.save(store, run)
    assert runs.load(store, "demo-1") == run
    assert runs.load(store, "demo-2") is None


def test_a_plan_is_kept_with_its_run(store, run_file):
    run = load_run(run_file)
    plan = make_plan(run, store)
    runs.save_plan(store, plan, write_resolved(run))
    again = runs.load_plan(store, plan.run_id)
    assert again.to_json() == plan.to_json()
    assert again.run == run
    assert store.names(f"runs/{plan.run_id}") == ["plan.json", "resolved.yaml"]


def test_a_plan_with_a_key_that_is_no_more_is_shown_and_whoever_needs_its_run_file_is_told(store, state, run_file):
    plan = make_plan(load_run(run_file), store)
    plan.config["training"]["gone"] = 3  # what an older Seedbed took
    runs.save_plan(store, plan, "")
    older = runs.load_plan(store, plan.run_id)
    assert older.name == load_run(run_file).name
    summary = run_summary(store, state, record(plan.run_id), older)
    assert [step["kind"] for step in summary["steps"]] == [step.kind for step in plan.steps]
    says = rf"runs/{plan.run_id}/plan.json: training.gone: .*found '3'.*another version of Seedbed.*seedbed plan"
    with pytest.raises(CorruptDataError, match=says):
        _ = older.run


def test_a_run_is_running_only_while_its_driver_lives(store, state):
    runs.save(store, record("demo-1", state=runs.RUNNING))
    assert [run.state for run in runs.all_runs(store, state)] == ["interrupted"]
    with Leases(store, state).hold(runs.lease_name("demo-1")):
        assert [run.state for run in runs.all_runs(store, state)] == ["running"]
    assert [run.state for run in runs.all_runs(store, state)] == ["interrupted"]


@pytest.mark.parametrize("said", [runs.PLANNED, runs.FINISHED, runs.STOPPED, runs.FAILED, runs.INTERRUPTED])
def test_what_a_driver_said_at_its_end_stays(tmp_path, state, said):
    store = Store(str(tmp_path / "store"))
    runs.save(store, record("demo-1", state=said))
    with Leases(store, state).hold(runs.lease_name("demo-2")):
        assert [run.state for run in runs.all_runs(store, state)] == [said]


def test_runs_are_listed_oldest_first(store, state):
    for run, day in (("demo-a", 3), ("demo-b", 1), ("other-c", 2), ("demo-0", 3)):
        runs.save(store, record(run, created_at=f"2025-01-0{day}T00:00:00Z"))
    store.write("runs/half-made/plan.json", b"{}")  # a plan without a record is no run yet
    assert [run.run for run in runs.all_runs(store, state)] == ["demo-b", "other-c", "demo-0", "demo-a"]


def test_a_damaged_record_hides_no_other_run(store, state):
    started = record("demo-2")
    started.begin_attempt()
    started.end_attempt(runs.FINISHED)
    runs.save(store, started)
    store.write("runs/demo-1/run.json", b'{"run": ')
    store.write("runs/my-demo-0/run.json", b'{"run": "my-demo-0", "colour": "red"}')
    found = runs.all_runs(store, state)
    assert [(run.run, run.name, run.state) for run in found] == [
        ("demo-1", "demo", "damaged"),
        ("my-demo-0", "my-demo", "damaged"),
        ("demo-2", "demo", "finished"),
    ]
    assert found[0].error.startswith("runs/demo-1/run.json is damaged (")
    cure = "remove the folder runs/demo-1 and run its run file again before any `seedbed gc`; what its steps made stays"
    assert found[0].error.endswith(cure)
    assert runs.find(store, state, None).run == "demo-2"
    assert runs.find(store, state, "demo").run == "demo-2"
    assert runs.find(store, state, "demo-1").state == "damaged"
    assert runs.find(store, state, "my-demo").run == "my-demo-0"  # there is no other of this name
    with pytest.raises(CorruptDataError):
        runs.load(store, "demo-1")  # who would write it anew must not take it for a run that was never there


def test_of_two_runs_made_within_a_second_the_later_is_the_newest(store, state):
    runs.save(store, record("demo-2", created_ns=5))
    runs.save(store, record("demo-1", created_ns=7))
    assert [run.run for run in runs.all_runs(store, state)] == ["demo-2", "demo-1"]
    assert runs.find(store, state, "demo").run == "demo-1"


def test_a_run_is_found_by_its_id_by_its_name_or_as_the_newest(tmp_path, state):
    store = Store(str(tmp_path / "store"))
    for run, name, day in (("demo-1", "demo", 1), ("demo-2", "demo", 2), ("demo-3", "other", 3)):
        runs.save(store, record(run, name, f"2025-01-0{day}T00:00:00Z"))
    assert runs.find(store, state, "demo-1").run == "demo-1"
    assert runs.find(store, state, "demo").run == "demo-2"
    assert runs.find(store, state, None).run == "demo-3"
    with pytest.raises(UsageError) as refused:
        runs.find(store, state, "demo-4")
    assert str(refused.value) == f"no run 'demo-4' in {store.url}; the latest are demo-1, demo-2, demo-3"


def test_a_plan_that_was_never_started_hides_no_run(tmp_path, state):
    store = Store(f"{tmp_path}/store")
    started = record("demo-1")
    started.begin_attempt()
    runs.save(store, started)
    runs.save(store, record("demo-2", created_at="2025-01-02T00:00:00Z"))
    for name in ("demo", None):
        assert runs.find(store, state, name).run == "demo-1"
    assert runs.find(store, state, "demo-2").run == "demo-2"


def test_a_store_without_runs_says_how_to_start_one(tmp_path, state):
    with pytest.raises(UsageError) as refused:
        runs.find(Store(f"{tmp_path}/store"), state, None)
    assert str(refused.value) == (
        f"no runs in {tmp_path}/store: start one with `seedbed run RUN.yaml`, or name another --store"
    )
