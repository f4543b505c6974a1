import sys
import time

import pytest

from seedbed import runs
from seedbed.errors import BudgetRefused, UsageError
from seedbed.launch import Launch, start
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def begin(run_file, store, state, *overrides, until=None, over_budget=None):
    return start(store, state, str(run_file), overrides, until, over_budget)


def test_a_start_records_the_run_and_gives_the_command_that_carries_it_out(run_file, store, state):
    plan = make_plan(load_run(run_file, ["training.num_steps=11"]), store)
    command = begin(run_file, store, state, "training.num_steps=11", until="shards")
    path = str(state.root / "launches" / f"{plan.run_id}.json")
    assert command == [sys.executable, "-P", "-m", "jobs.run", path]
    launch = Launch.read(path)
    assert launch == Launch(store.url, str(state.root), plan.run_id, "shards", None, at=launch.at)
    assert time.time() - 60 < launch.at <= time.time()
    record = runs.load(store, plan.run_id)
    assert (record.name, record.state, record.attempts) == ("tiny", "planned", [])
    assert runs.load_plan(store, plan.run_id).to_json() == plan.to_json()
    # What is kept with the run is a run file by itself.
    resolved = state.root / "resolved.yaml"
    resolved.write_bytes(store.read(f"runs/{plan.run_id}/resolved.yaml"))
    assert load_run(resolved) == plan.run


def test_a_second_start_keeps_what_is_remembered_of_the_first(run_file, store, state):
    run_id = make_plan(load_run(run_file), store).run_id
    begin(run_file, store, state)
    record = runs.load(store, run_id)
    record.begin_attempt()
    record.end_attempt(runs.FAILED, "the disk is full")
    runs.save(store, record)
    begin(run_file, store, state)
    assert runs.load(store, run_id) == record


def test_a_step_that_there_is_not_is_refused(run_file, store, state):
    with pytest.raises(UsageError) as refused:
        begin(run_file, store, state, until="shard")
    assert str(refused.value) == (
        "--until shard: there is no such step; the steps are extract, clean, annotate, select, deduplicate, "
        "decontaminate, repeats, corpus, tokenizer, shards, ledger, pretrain, evaluate, export"
    )
    assert store.files("") == {}


def test_a_run_over_its_budget_is_not_recorded_unless_a_reason_is_given(run_file, store, state):
    with pytest.raises(BudgetRefused) as refused:
        begin(run_file, store, state, "budget.max_flops=1000")
    first, reason, cure = str(refused.value).splitlines()
    run_id = first.removeprefix("the budget refuses run ").rstrip(":")
    assert "x 640 tokens = 4.399e+07 FLOPs > budget.max_flops 1000" in reason
    assert cure == 'change the run file (or --set), or start it all the same with --over-budget "reason"'
    assert store.files("") == {}
    command = begin(run_file, store, state, "budget.max_flops=1000", over_budget="the boss said so")
    assert Launch.read(command[-1]).over_budget == "the boss said so"
    assert runs.load(store, run_id).over_budget == "the boss said so"
    # A later start that gives no reason does not make it forgotten; but it is refused as before.
    with pytest.raises(BudgetRefused):
        begin(run_file, store, state, "budget.max_flops=1000")
    assert runs.load(store, run_id).over_budget == "the boss said so"


def test_a_start_leaves_the_record_to_the_driver_that_began_meanwhile(run_file, store, state, monkeypatch):
    begin(run_file, store, state)
    run_id = make_plan(load_run(run_file), store).run_id
    save_plan = runs.save_plan

    def save_while_a_driver_begins(*arguments):
        save_plan(*arguments)
        record = runs.load(store, run_id)
        record.begin_attempt()
        runs.save(store, record)

    monkeypatch.setattr(runs, "save_plan", save_while_a_driver_begins)
    begin(run_file, store, state)
    begin(run_file, store, state, over_budget="the boss said so")
    record = runs.load(store, run_id)
    assert (record.state, len(record.attempts), record.over_budget) == (runs.RUNNING, 2, "the boss said so")
