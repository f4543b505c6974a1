from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from dataprep.errors import SeedbedError
from jobs.ending import Stopped
from jobs.pretrain import attempt, spool
from jobs.pretrain.launch import train
from seedbed import faults
from seedbed.errors import CheckpointError, InfrastructureError, RunFileError, StoreError, UsageError

pytestmark = pytest.mark.slow


def samples(task):
    return [record["samples"] for record in spool.read(spool.metrics_path(task.state_dir, task.fingerprint))]


def weights(task):
    return load_file(Path(task.store_url) / task.artifact_path / "model.safetensors")


@pytest.fixture
def uninterrupted(groups, make_task):
    task = make_task("uninterrupted", checkpoint_every_steps=2)
    groups[2](task)
    return task


@pytest.mark.parametrize(
    "point", ["pretrain.step.6", pytest.param("pretrain.checkpoint.files_uploaded", marks=pytest.mark.thorough)]
)
def test_a_killed_rank_costs_nothing_but_time(ray_session, uninterrupted, make_task, monkeypatch, tmp_path, point):
    monkeypatch.setenv(faults.FAULT, point)
    monkeypatch.setenv(faults.ONCE, str(tmp_path / "killed"))
    task = make_task(checkpoint_every_steps=2)
    told = []
    result = train(task, told.append)
    assert result.restarts == 1, told
    assert (tmp_path / "killed" / point).exists()
    [restart] = [event for event in told if event.get("event") == "restart"]
    assert "was lost" in restart["reason"]
    assert [record["step"] for record in told if "step" in record and "event" not in record] == list(range(1, 9))
    assert samples(task) == samples(uninterrupted)
    ours, theirs = weights(task), weights(uninterrupted)
    assert all((ours[name] == theirs[name]).all() for name in theirs)


def test_the_result_sums_the_run_up(ray_session, make_task):
    task = make_task(num_steps=3)
    result = train(task, lambda record: None)
    lines = spool.read(spool.metrics_path(task.state_dir, task.fingerprint))
    assert (result.steps, result.tokens, result.restarts) == (3, 3 * 128, 0)
    assert (result.loss_first, result.loss_last) == (lines[0]["loss"], lines[2]["loss"])
    # 401 held-out tokens in 1,000 bytes; ln 2 = 0.693147
    assert result.bits_per_byte == pytest.approx(result.validation_loss / 0.693147 * 401 / 1000, rel=1e-5)
    assert result.tokens_per_second == pytest.approx(384 / sum(line["seconds"] for line in lines))

    told = []
    assert train(task, told.append) == result  # finished before: nothing is trained, nothing told twice
    assert [event["event"] for event in told] == ["placed", "started", "taken_up"]


def test_what_would_only_fail_again_is_not_retried(groups, ray_session, make_task):
    groups[1](make_task(num_ranks=1, num_steps=2, warmup_steps=1))
    told = []
    with pytest.raises(CheckpointError, match=r"rank \d: checkpoint .* fingerprint run, expected other"):
        train(replace(make_task(num_steps=2, warmup_steps=1), fingerprint="other"), told.append)
    assert not [event for event in told if event.get("event") == "restart"]


def test_restarts_come_to_an_end(ray_session, make_task, monkeypatch):
    monkeypatch.setenv(faults.FAULT, "pretrain.step.1")
    monkeypatch.delenv(faults.ONCE, raising=False)
    message = r"rank \d: its process was lost .* given up after 1 restarts"
    with pytest.raises(InfrastructureError, match=message):
        train(make_task(max_restarts=1), lambda record: None)


def test_a_store_that_is_away_as_the_group_starts_is_tried_again(ray_session, make_task, monkeypatch):
    begin, away = attempt.begin, StoreError("cannot write attempt: check that the store can be reached")
    away.transient = True
    failures = [away]

    def begin_later(task):
        if failures:
            raise failures.pop()
        return begin(task)

    monkeypatch.setattr(attempt, "begin", begin_later)
    told = []
    assert train(make_task(num_steps=2, warmup_steps=1), told.append).restarts == 1
    [restart] = [event for event in told if event.get("event") == "restart"]
    assert restart["reason"] == str(away)


def test_what_nobody_foresaw_is_told_and_not_tried_again(ray_session, make_task, monkeypatch):
    monkeypatch.setenv(faults.FAULT, "pretrain.step.1=raise")
    monkeypatch.delenv(faults.ONCE, raising=False)
    told = []
    with pytest.raises(SeedbedError, match=r"rank \d: InjectedFault: pretrain\.step\.1"):
        train(make_task(max_restarts=3), told.append)
    assert not [event for event in told if event.get("event") == "restart"]


def test_a_batch_that_cannot_be_cut_is_refused_before_anything_starts(ray_session, make_task):
    with pytest.raises(RunFileError, match=r"100 = 6 x 16 [+] 4"):
        train(make_task(global_batch_tokens=100), lambda record: None)


def test_more_ranks_than_the_cluster_has_room_for_are_refused(ray_session, make_task):
    with pytest.raises(UsageError, match="8 ranks x 1 threads = 8 CPUs, but the cluster has 4"):
        train(make_task(num_ranks=8, micro_batch_sequences=1), lambda record: None)


def assert_same(task, other):
    assert samples(task) == samples(other)
    ours, theirs = weights(task), weights(other)
    assert all((ours[name] == theirs[name]).all() for name in theirs)


def test_a_request_to_stop_ends_in_a_checkpoint_from_which_the_next_call_goes_on(ray_session, groups, make_task):
    whole, task = (make_task(name, num_steps=200, checkpoint_every_steps=1000) for name in ("whole", "stopped"))
    groups[2](whole)
    told = []

    def stop_requested():
        return "the budget is used up" if any("loss" in record for record in told) else None

    message = r"^the budget is used up: .* its checkpoint of step \d+; .* with step \d+$"
    with pytest.raises(Stopped, match=message) as stop:
        train(task, told.append, stop_requested)
    assert stop.value.exit_code == 75
    [checkpoint] = (Path(task.store_url) / task.artifact_path / "checkpoints").glob("step-*")
    assert checkpoint.name < "step-00000200"
    told_later = []
    train(task, told_later.append)
    [taken_up] = [event["step"] for event in told_later if event.get("event") == "taken_up"]
    assert f"step-{taken_up:08d}" == checkpoint.name
    assert_same(task, whole)


def test_a_rank_that_hangs_leaves_its_stacks_and_the_run_ends_as_if_nothing_had_been(
    ray_session, uninterrupted, make_task, monkeypatch, tmp_path
):
    """It holds the interpreter's lock, so its process answers no call; the other rank waits for it in a collective."""
    monkeypatch.setenv(faults.FAULT, "pretrain.step.6=hang")
    monkeypatch.setenv(faults.ONCE, str(tmp_path / "hung"))
    # Long enough for a start on a busy machine: importing torch and DeepSpeed shows no progress.
    task = make_task(checkpoint_every_steps=2, hang_timeout_s=25)
    told = []
    assert train(task, told.append).restarts == 1
    [hang] = [event for event in told if event.get("event") == "hang"]
    assert "step 6" in hang["at"]  # of the rank that waits; the other was last heard of where it last gave up the lock
    assert hang["idle_s"] >= 25
    stacks = Path(hang["stacks"])
    assert stacks.is_relative_to(Path(task.state_dir) / "logs")
    text = stacks.read_text()
    assert all(f"rank {number}, process " in text for number in (0, 1))
    assert 'faults.py", line' in text  # the place of the one
    assert "in all_reduce" in text  # and of the other
    [restart] = [event for event in told if event.get("event") == "restart"]
    assert "no progress for" in restart["reason"]
    assert [event["event"] for event in spool.read(spool.events_path(task.state_dir, task.fingerprint))].count(
        "hang"
    ) == 1
    assert_same(task, uninterrupted)


def test_where_there_is_no_room_for_all_ranks_as_many_train_as_fit(ray_session, groups, make_task):
    """8 ranks are asked for and 4 CPUs there, of which one is busy; 3 ranks pad the batch of 8 sequences with one."""
    import ray

    plain = make_task("plain", zero_stage=0)
    groups[2](plain)
    busy = ray.util.placement_group([{"CPU": 1}])
    assert busy.wait(30)
    cluster = {"min_training_ranks": 1, "placement_timeout_s": 1.0}
    task = make_task(num_ranks=8, cluster=cluster, micro_batch_sequences=1, zero_stage=0)
    told = []
    try:
        train(task, told.append)
    finally:
        ray.util.remove_placement_group(busy)
    [event] = [event for event in told if event.get("event") == "fewer_ranks"]
    assert (event["num_ranks"], event["reason"]) == (3, "no room for 8 ranks within 1 s")
    assert [event["num_ranks"] for event in told if event.get("event") == "started"] == [3]
    assert samples(task) == samples(plain)


def test_less_room_than_for_the_fewest_ranks_is_told_after_the_restarts(ray_session, make_task):
    import ray

    busy = ray.util.placement_group([{"CPU": 3}])
    assert busy.wait(30)
    task = make_task(cluster={"placement_timeout_s": 0.5}, max_restarts=0)
    try:
        with pytest.raises(InfrastructureError, match=r"no room for 2 ranks of .* what is free takes 1"):
            train(task, lambda record: None)
    finally:
        ray.util.remove_placement_group(busy)
