import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from dataprep.order import SampleOrder
from jobs.pretrain import spool

pytestmark = pytest.mark.slow


def records(task):
    return spool.read(spool.metrics_path(task.state_dir, task.fingerprint))


def losses(task):
    return [record["loss"] for record in records(task)]


def weights(task):
    return load_file(Path(task.store_url) / task.artifact_path / "model.safetensors")


def assert_same_weights(left, right, tolerance=0.0):
    left, right = weights(left), weights(right)
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_loss_falls(groups, make_task, precision):
    task = make_task(precision=precision, num_steps=30, learning_rate=0.02)
    groups[2](task)
    first, last = losses(task)[0], losses(task)[-1]
    assert first == pytest.approx(math.log(300), abs=0.1)  # at first every token is as likely as another
    assert last < first - 0.4
    assert records(task)[-1]["validation_loss"] < first - 0.4
    assert all(weight.dtype == np.float32 for weight in weights(task).values())


def test_metrics_say_what_each_step_did(groups, make_task):
    task = make_task()
    groups[2](task)
    lines = records(task)
    assert [line["step"] for line in lines] == list(range(1, 9))
    assert [line["samples"] for line in lines] == [[8 * n, 8 * n + 8] for n in range(8)]
    assert [line["tokens"] for line in lines] == [128 * n for n in range(1, 9)]
    assert [line["step"] for line in lines if "validation_loss" in line] == [4, 8]
    assert all(line["gradient_norm"] > 0 for line in lines)
    assert Path(task.store_url, task.artifact_path, "metrics.jsonl").read_bytes().count(b"\n") == 8


def test_the_gradient_norm_is_the_one_before_clipping(groups, make_task):
    free, clipped = make_task("free", gradient_clipping=0.0), make_task("clipped", gradient_clipping=0.01)
    groups[2](free)
    groups[2](clipped)
    norms = [records(task)[0]["gradient_norm"] for task in (free, clipped)]
    assert norms[0] == pytest.approx(norms[1])
    assert norms[0] > 0.01


@pytest.mark.parametrize(
    "change",
    [
        {"zero_stage": 0},
        {"micro_batch_sequences": 1},  # accumulation of 4 instead of 1
        {"activation_checkpointing": True},
        {"zero_stage": 0, "micro_batch_sequences": 1, "activation_checkpointing": True},
    ],
    ids=str,
)
def test_every_layout_trains_the_same(groups, make_task, change):
    plain, other = make_task("plain"), make_task("other", **change)
    groups[2](plain)
    groups[2](other)
    assert losses(other) == pytest.approx(losses(plain), abs=1e-5)
    norms = [[record["gradient_norm"] for record in records(task)] for task in (plain, other)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-4)


def test_two_ranks_train_as_one(groups, make_task):
    one, two = make_task("one", num_ranks=1), make_task("two")
    groups[1](one)
    groups[2](two)
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)
    # AdamW turns the rounding of a gradient near zero into a step of the rate's size, 0.01, in a single weight.
    assert_same_weights(one, two, tolerance=2e-3)


def test_bf16_stays_near_fp32(groups, make_task):
    exact, rounded = make_task("fp32"), make_task("bf16", precision="bf16", micro_batch_sequences=1)
    groups[2](exact)
    groups[2](rounded)
    assert losses(rounded) == pytest.approx(losses(exact), abs=0.05)  # bf16 keeps 8 bits: 0.4% of a loss of 5.7 is 0.02


@pytest.mark.parametrize(
    "layout",
    [
        {"zero_stage": 0},
        {"zero_stage": 1},
        {"zero_stage": 1, "precision": "bf16"},
        {"zero_stage": 2, "precision": "bf16", "optimizer_offload": "cpu"},
        {"zero_stage": 3},
        {"zero_stage": 3, "precision": "bf16"},
        {"zero_stage": 1, "pipeline_stages": 2, "precision": "bf16", "activation_checkpointing": True},
    ],
    ids=str,
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(groups, make_task, layout):
    # Dropout: random states matter.
    whole, broken = make_task("whole", dropout=0.1, **layout), make_task("broken", dropout=0.1, **layout)
    groups[2](whole)
    with pytest.raises(Exception, match=r"pretrain\.step\.6"):
        groups[2](broken, "pretrain.step.6=raise")
    # Rank 1 may fail before rank 0 has written down step 5.
    assert [record["step"] for record in records(broken)] in ([1, 2, 3, 4], [1, 2, 3, 4, 5])
    groups[2](broken)  # from the checkpoint of step 3: steps 4 and 5 are taken again
    assert [record["step"] for record in records(broken)] == list(range(1, 9))
    assert losses(broken) == losses(whole)
    assert_same_weights(broken, whole)


def test_a_finished_run_is_not_trained_again(groups, make_task):
    task = make_task()
    groups[2](task)
    before = records(task)
    groups[2](task)
    assert records(task) == before


def test_the_first_batch_holds_the_first_samples_of_the_order(groups, make_task):
    """The loss of step 1 is that of the untrained model on samples 0 to 7 of the order, worked out here."""
    import torch

    from jobs.pretrain.model import GPT, next_token_loss

    task = make_task()
    groups[2](task)
    stream = task.shards.train_stream()
    rows = torch.from_numpy(stream.samples(SampleOrder(stream.num_samples(16), seed=5).indices(0, 8), 16))
    expected = next_token_loss(GPT(task.model, seed=5)(rows[:, :-1]), rows[:, 1:]).item()
    assert losses(task)[0] == pytest.approx(expected, abs=1e-6)


def test_a_mixture_has_the_same_samples_on_fewer_ranks_after_a_restart(groups, make_task):
    quotas = {"first": 16, "second": 48}  # of 62 samples each
    whole, broken = (make_task(name, quotas=quotas) for name in ("whole", "broken"))
    alone = make_task("broken", quotas=quotas, num_ranks=1)
    groups[2](whole)
    with pytest.raises(Exception, match=r"pretrain\.step\.6"):
        groups[2](broken, "pretrain.step.6=raise")
    groups[1](alone)
    assert losses(alone) == pytest.approx(losses(whole), abs=1e-5)
    plain = make_task("plain")
    groups[2](plain)
    assert losses(plain)[0] != pytest.approx(losses(whole)[0], abs=1e-4)  # other samples


def test_a_loss_that_is_no_number_stops_every_rank(groups, make_task):
    task = make_task(learning_rate=1e30, warmup_steps=0, gradient_clipping=0.0)
    with pytest.raises(Exception, match=r"TrainingDiverged: the loss is (nan|inf) at step \d, samples \d+ to \d+"):
        groups[2](task)


def test_weights_that_are_no_numbers_are_never_kept(groups, make_task):
    """The loss of step 1 is that of the weights before it, and so is the gradient's norm: both are fine."""
    keys = {"learning_rate": 1e30, "warmup_steps": 0, "validate_every_steps": 1, "checkpoint_every_steps": 1}
    task = make_task(**keys)
    with pytest.raises(Exception, match=r"TrainingDiverged: the validation loss is (nan|inf) after step 1"):
        groups[2](task)
    assert not (Path(task.store_url) / task.artifact_path / "checkpoints").exists()


def test_all_ranks_stop_after_the_same_step_with_a_checkpoint_and_go_on_from_it(groups, make_task):
    whole, stopped = make_task("whole"), make_task("stopped")
    groups[2](whole)
    with pytest.raises(Exception, match=r"pretrain\.step\.6"):
        groups[2](stopped, "pretrain.step.6=raise")
    assert groups[2](stopped, stop="SIGTERM was received") == [3, 3]  # rank 1 alone was asked; step 3 has a checkpoint
    assert groups[2](stopped) == [8, 8]
    assert losses(stopped) == losses(whole)
    assert_same_weights(stopped, whole)
