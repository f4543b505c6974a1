"""Runs of a store, in a folder and on an S3 server, as the registry gets to know them."""

import pytest

from seedbed import runs
from seedbed.lease import Leases
from seedbed.plan import make_plan
from seedbed.registry.adopt import see_runs
from seedbed.registry.database import open_registry
from seedbed.runfile.load import load_run, write_resolved
from seedbed.runs import RunRecord
from seedbed.store import Store


@pytest.fixture
def registry(state):
    opened = open_registry(None, state)
    yield opened
    opened.close()


def save(store, run, state="finished", **more):
    record = RunRecord(run, run.rpartition("-")[0], "2025-01-01T00:00:00Z", state=state, **more)
    runs.save(store, record)
    return record


def story(registry):
    return [
        f"{event.subject}: {event.from_state} -> {event.to_state}: {event.reason}"
        for event in registry.events(limit=99)
    ]


def test_runs_that_nobody_submitted_are_in_the_registry(registry, store, state):
    save(store, "demo-1", attempts=[{}, {}])
    save(store, "demo-2", "failed", error="no such column", over_budget="agreed with Ann")
    store.write("runs/notes/readme.txt", b"no run")
    assert [run.run_id for run in see_runs(registry, store, state)] == ["demo-1", "demo-2"]
    run = registry.run("demo-2")
    assert (run.name, run.store_url, run.state, run.created_at) == ("demo", store.place, "failed", 1735689600.0)
    assert run.summary["over_budget"] == "agreed with Ann"
    assert story(registry) == [
        "run demo-1: None -> finished: all of its steps are done",
        "run demo-2: None -> failed: no such column",
    ]


def test_a_second_look_reads_and_writes_only_what_changed(registry, store, state, monkeypatch):
    for number in range(3):
        save(store, f"demo-{number}")
    see_runs(registry, store, state)
    save(store, "demo-1", "failed", error="no such column")
    read = []
    whole = Store.read
    monkeypatch.setattr(Store, "read", lambda self, path: read.append(path) or whole(self, path))
    assert [(run.run_id, run.state) for run in see_runs(registry, store, state)] == [("demo-1", "failed")]
    assert read == ["runs/demo-1/run.json"]
    assert see_runs(registry, store, state) == []
    assert read == ["runs/demo-1/run.json"]
    assert len(story(registry)) == 4


def test_a_run_is_running_while_its_driver_lives(registry, store, state):
    save(store, "demo-1", "running", attempts=[{}])
    with Leases(store, state).hold(runs.lease_name("demo-1")):
        see_runs(registry, store, state)
        assert see_runs(registry, store, state) == []
        assert registry.run("demo-1").state == "running"
    [run] = see_runs(registry, store, state)
    assert (run.state, run.reason) == ("interrupted", "its driver is gone without a word")
    assert see_runs(registry, store, state) == []


def test_a_run_that_ends_between_two_looks_was_not_interrupted(registry, store, state, monkeypatch):
    save(store, "demo-1", "running", attempts=[{}])

    def ends(*_):
        save(store, "demo-1", "finished", attempts=[{}])  # as a driver does: first the record, then the lease
        return False

    monkeypatch.setattr(Leases, "is_held", ends)
    assert [run.state for run in see_runs(registry, store, state)] == ["finished"]


def test_a_damaged_record_hides_no_other_run(registry, store, state):
    save(store, "demo-1")
    store.write("runs/demo-2/run.json", b"{")
    [_, damaged] = see_runs(registry, store, state)
    assert (damaged.name, damaged.state) == ("demo", "damaged")
    assert "runs/demo-2/run.json is damaged" in damaged.reason
    assert see_runs(registry, store, state) == []
    save(store, "demo-2")
    assert [run.state for run in see_runs(registry, store, state)] == ["finished"]


def test_a_run_whose_folder_was_removed_is_gone_and_remembered(registry, store, state):
    save(store, "demo-1")
    save(store, "demo-2")
    see_runs(registry, store, state)
    store.delete("runs/demo-1")
    assert [(run.run_id, run.state) for run in see_runs(registry, store, state)] == [("demo-1", "gone")]
    assert see_runs(registry, store, state) == []
    store.delete("runs/demo-2")  # a store without any runs may be a disk that is not there
    assert see_runs(registry, store, state) == []
    save(store, "demo-1", "planned")
    back = see_runs(registry, store, state)
    assert sorted((run.run_id, run.state) for run in back) == [("demo-1", "planned"), ("demo-2", "gone")]


def test_what_a_list_shows_of_a_run_comes_from_its_plan(registry, tmp_path, run_file, state):
    store = Store(str(tmp_path / "planned"))
    run = load_run(run_file)
    plan = make_plan(run, store)
    runs.save_plan(store, plan, write_resolved(run))
    runs.save(store, RunRecord(plan.run_id, plan.name, runs.now()))
    [seen] = see_runs(registry, store, state)
    assert (seen.state, seen.reason) == ("planned", "planned")
    assert seen.summary == {
        "attempts": 0,
        "over_budget": None,
        "parameters": plan.parameters,
        "tokens": plan.tokens,
        "flops": plan.flops,
        "num_steps": 10,
    }
