"""The watch with a clock of its own, on a store in a folder."""

from types import SimpleNamespace

import pytest

from dataprep.errors import CorruptDataError
from jobs.pretrain import spool
from jobs.pretrain.budget_watch import KEEP_EVERY_S, BudgetWatch
from jobs.pretrain.channel import BEGIN, EVENT, RECORD, Message
from jobs.pretrain.listener import Recorder
from seedbed.artifact import Artifact
from seedbed.errors import BudgetPassed
from seedbed.runfile.budget import BudgetConfig
from seedbed.store import Store


@pytest.fixture
def clock():
    return SimpleNamespace(now=100.0)


@pytest.fixture
def said():
    """What a person is told."""
    return []


@pytest.fixture
def watch(tmp_path, clock, said):
    """A function that starts watching: 10 steps of 100 x 8 FLOPs on 2 ranks, at 3 a device hour."""

    def start(over_budget=None, **limits):
        plan = SimpleNamespace(
            run_id="small-1",
            flops_per_token=100,
            config={
                "training": {"num_steps": 10, "global_batch_tokens": 8},
                "cluster": {"price_per_device_hour": 3.0},
            },
            run=SimpleNamespace(
                budget=BudgetConfig(max_repeats=None, **limits), cluster=SimpleNamespace(training_ranks=2)
            ),
        )
        artifact = Artifact(Store(str(tmp_path / "store")), "pretrain", "fp")
        return BudgetWatch(artifact, plan, str(tmp_path / "state"), over_budget, said.append, lambda: clock.now)

    return start


def events(tmp_path):
    return spool.read(spool.events_path(str(tmp_path / "state"), "fp"))


def test_time_passes_for_all_ranks_that_started(watch, clock):
    mine = watch()
    clock.now += 3600
    mine.hear({"event": "started", "num_ranks": 1})
    clock.now += 1800
    mine.hear({"step": 1, "seconds": 900.0})
    told = mine.summary()
    spent = [told[name] for name in ("wall_hours", "device_hours", "cost", "flops")]
    assert spent == [1.5, 1 * 2 + 0.5 * 1, 7.5, 800]
    assert told["goodput"] == pytest.approx(900 / 5400)


def test_what_earlier_commands_spent_counts(watch, clock):
    first = watch(max_wall_hours=1.5)
    clock.now += 3600
    for step in (1, 2, 3):
        first.hear({"step": step, "seconds": 10.0})
    assert first.stop_requested() is None
    first.keep()
    clock.now += 10**6  # nobody trains
    second = watch(max_wall_hours=1.5)
    assert second.stop_requested() is None
    second.hear({"event": "taken_up", "step": 2})
    clock.now += 3600
    assert second.stop_requested() == (
        "the training has spent 7,200.0 s / 3,600 = 2 hours, which is more than budget.max_wall_hours 1.5"
    )
    assert second.summary()["steps_taken"] == 3
    with pytest.raises(BudgetPassed, match=r"run small-1: .* stopped at its checkpoint of step 2; raise the limit"):
        second.require()
    assert BudgetPassed.exit_code == 3


def test_steps_that_restarts_take_again_and_lose_again_count_each_time(watch, clock, tmp_path, make_task):
    """Two restarts from step 1 before anything new is reached; told by the real recorder."""
    mine = watch()
    recorder = Recorder(make_task(), mine.hear)
    said = [(RECORD, {"step": step, "seconds": 10.0}) for step in (1, 2, 3)]
    for step in (2, 3):
        said += [(BEGIN, spool.line({"step": 1})), (EVENT, {"event": "taken_up", "step": 1, "time": 0.0})]
        said += [(RECORD, {"step": again, "seconds": 10.0}) for again in range(2, step + 1)]
    recorder.hear(Message(1, EVENT, {"event": "taken_up", "step": 0, "time": 0.0}))
    for number, (kind, content) in enumerate(said):
        recorder.hear(Message(number + 2, kind, content))
    clock.now += 100
    mine.hear({"event": "checkpoint", "step": 3})
    told = mine.summary()
    # 1 2 3, lost 2 3; 2, lost; 2 3: six steps of 100 x 8 FLOPs, of which three count
    assert (told["steps_taken"], told["steps_lost"], told["flops"]) == (6, 3, 6 * 800)
    assert told["goodput"] == pytest.approx(30 / 100)


def test_a_reason_lets_it_go_on_and_is_told_once(watch, clock, tmp_path):
    mine = watch("nearly done", max_wall_hours=0.5)
    clock.now += 3600
    assert mine.stop_requested() is None
    assert mine.stop_requested() is None
    mine.require()
    (told,) = (event for event in events(tmp_path) if event["event"] == "over_budget")
    assert told["reason"] == "nearly done"
    assert told["passed"].endswith("more than budget.max_wall_hours 0.5")


def test_the_count_is_kept_while_it_goes_and_told_to_the_spool(watch, clock, tmp_path):
    mine = watch()
    mine.hear({"step": 1, "seconds": 1.0})
    clock.now += KEEP_EVERY_S
    mine.stop_requested()
    (event,) = events(tmp_path)
    assert (event["event"], event["steps_taken"], event["forecast_steps_taken"]) == ("spending", 1, 10)
    assert event["forecast_wall_hours"] == pytest.approx((KEEP_EVERY_S + 9) / 3600)
    assert watch().spending == mine.spending


def test_a_limit_that_is_passed_while_ranks_are_lost_names_the_checkpoint_and_not_the_last_step(watch, clock):
    mine = watch(max_wall_hours=0.5)
    mine.hear({"event": "taken_up", "step": 0})
    mine.hear({"step": 4, "seconds": 1.0})
    mine.hear({"event": "checkpoint", "step": 4})
    mine.hear({"step": 5, "seconds": 1.0})
    clock.now += 3600  # before a restart
    with pytest.raises(BudgetPassed, match="it has stopped at its checkpoint of step 4; raise the limit"):
        mine.require()


def test_the_last_count_holds_the_time_since_the_last_look(watch, clock, tmp_path):
    mine = watch()
    clock.now += 7.2  # the ranks end, and nobody asks whether to stop
    mine.keep()
    (event,) = events(tmp_path)
    assert (event["wall_hours"], event["device_hours"]) == pytest.approx((0.002, 0.004))
    assert watch().spending.wall_s == pytest.approx(7.2)


def test_a_limit_that_lies_ahead_is_told_once_and_stops_nothing(watch, clock, said, tmp_path):
    mine = watch(max_wall_hours=1.0)
    mine.hear({"step": 1, "seconds": 600.0})
    for _ in range(2):
        clock.now += 600
        assert mine.stop_requested() is None
    # 600 s and 9 more steps of 600 s
    ahead = "at this pace the whole training takes 1.667 hours, which is more than budget.max_wall_hours 1"
    assert said == [f"  budget: warn: {ahead}; it will stop at a checkpoint there"]
    assert [event["message"] for event in events(tmp_path) if event["event"] == "over_budget_ahead"] == [ahead]


def test_a_damaged_count_says_what_to_do(watch, tmp_path):
    Store(str(tmp_path / "store")).write("steps/pretrain-fp/spending.json", b'{"step": ')
    with pytest.raises(CorruptDataError, match=r"steps/pretrain-fp/spending.json is damaged .*: remove it"):
        watch()
