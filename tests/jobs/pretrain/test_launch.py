from pathlib import Path

import pytest
from safetensors.numpy import load_file

from dataprep.errors import SeedbedError
from jobs.pretrain import spool
from jobs.pretrain.launch import train
from seedbed import faults
from seedbed.errors import CheckpointError, InfrastructureError, RunFileError, UsageError

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


@pytest.mark.parametrize("point", ["pretrain.step.6", "pretrain.checkpoint.files_uploaded"])
def test_a_killed_rank_costs_nothing_but_time(ray_session, uninterrupted, make_task, monkeypatch, tmp_path, point):
    monkeypatch.setenv(faults.FAULT, point)
    monkeypatch.setenv(faults.ONCE, str(tmp_path / "killed"))
    task = make_task(checkpoint_every_steps=2)
    told = []
    result = train(task, told.append)
    assert result.restarts == 1
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
    assert [event["event"] for event in told] == ["started", "taken_up"]


def test_what_would_only_fail_again_is_not_retried(groups, ray_session, make_task):
    groups[1](make_task(num_ranks=1, num_steps=2, warmup_steps=1))
    told = []
    with pytest.raises(CheckpointError, match=r"rank 0: checkpoint .* on 1 ranks"):
        train(make_task(num_steps=2, warmup_steps=1), told.append)
    assert not [event for event in told if event.get("event") == "restart"]


def test_restarts_come_to_an_end(ray_session, make_task, monkeypatch):
    monkeypatch.setenv(faults.FAULT, "pretrain.step.1")
    monkeypatch.delenv(faults.ONCE, raising=False)
    message = r"rank \d: its process was lost .* given up after 1 restarts"
    with pytest.raises(InfrastructureError, match=message):
        train(make_task(max_restarts=1), lambda record: None)


def test_what_nobody_foresaw_is_told_and_not_tried_again(ray_session, make_task, monkeypatch):
    monkeypatch.setenv(faults.FAULT, "pretrain.step.1=raise")
    monkeypatch.delenv(faults.ONCE, raising=False)
    told = []
    with pytest.raises(SeedbedError, match=r"rank \d: InjectedFault: pretrain\.step\.1"):
        train(make_task(max_restarts=3), told.append)
    assert not [event for event in told if event.get("event") == "restart"]


def test_a_batch_that_cannot_be_cut_is_refused_before_anything_starts(ray_session, make_task):
    with pytest.raises(RunFileError, match="8 sequences, but 2 ranks x 3"):
        train(make_task(micro_batch_sequences=3), lambda record: None)


def test_more_ranks_than_the_cluster_has_room_for_are_refused(ray_session, make_task):
    with pytest.raises(UsageError, match="8 ranks x 1 threads = 8 CPUs, but the cluster has 4"):
        train(make_task(num_ranks=8, micro_batch_sequences=1), lambda record: None)
