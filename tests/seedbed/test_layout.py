import pytest

from seedbed import layout
from seedbed.errors import RunFileError
from seedbed.layout import batch_layout, check_layout
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

MODEL = ModelConfig(num_layers=4, width=32, num_heads=2, sequence_length=16, vocab_size=300)


def training(**keys):
    base = {"num_steps": 1, "global_batch_tokens": 128, "micro_batch_sequences": 1, "learning_rate": 0.1}
    return TrainingConfig(**base | keys)


def cut(tokens, micro, ranks, stages=1):
    keys = {"global_batch_tokens": tokens, "micro_batch_sequences": micro, "pipeline_stages": stages}
    return batch_layout(training(**keys), 16, ranks)


def test_a_batch_is_accumulation_times_data_ranks_times_micro_batch():
    # 384 tokens / 16 = 24 sequences = 3 x 2 ranks x 4
    assert cut(384, 4, 2).accumulation_steps == 3
    assert cut(384, 4, 2).padding_sequences == 0


def test_the_stages_of_a_pipeline_see_the_same_rows():
    # 8 ranks in 4 stages hold the model twice
    assert (cut(384, 4, 8, stages=4).data_ranks, cut(384, 4, 8, stages=4).accumulation_steps) == (2, 3)


@pytest.mark.parametrize(("micro", "ranks", "steps", "padding"), [(5, 2, 1, 2), (4, 4, 1, 8), (3, 3, 1, 1)])
def test_what_does_not_divide_is_padded(micro, ranks, steps, padding):
    found = cut(128, micro, ranks)  # 8 sequences
    assert (found.accumulation_steps, found.padding_sequences) == (steps, padding)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("micro", [1, 2, 3, 5])
def test_every_row_is_taken_once(micro, ranks):
    found = cut(13 * 16, micro, ranks)
    taken = [
        row
        for step in range(found.accumulation_steps)
        for rank in range(found.data_ranks)
        for row in range(13)[found.rows_of(step, rank)]
    ]
    assert sorted(taken) == list(range(13))


def test_a_batch_of_broken_sequences_is_refused_with_the_arithmetic():
    with pytest.raises(RunFileError, match=r"100 = 6 x 16 [+] 4.* take 96"):
        cut(100, 1, 1)


def test_a_batch_smaller_than_a_sequence_is_refused():
    with pytest.raises(RunFileError, match=r"8 = 0 x 16 [+] 8.* take 16"):
        cut(8, 1, 1)


@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stages", [1, 2, 4])
@pytest.mark.parametrize("offload", ["none", "cpu"])
def test_a_layout_runs_or_is_refused_with_one_that_runs(zero_stage, precision, stages, offload):
    keys = {"zero_stage": zero_stage, "precision": precision, "pipeline_stages": stages, "optimizer_offload": offload}
    impossible = (zero_stage == 0 and (precision == "bf16" or offload == "cpu")) or (zero_stage > 1 and stages > 1)
    if impossible:
        with pytest.raises(RunFileError, match=r"training\.(zero_stage|optimizer_offload): .* take zero_stage 1"):
            check_layout(MODEL, training(**keys), ClusterConfig(training_ranks=4))
        keys["zero_stage"] = 1
    check_layout(MODEL, training(**keys), ClusterConfig(training_ranks=4))


def test_fp16_needs_a_device_that_has_it(monkeypatch):
    monkeypatch.setattr(layout, "cpu_computes_fp16", lambda: False)
    with pytest.raises(RunFileError, match=r"fp16 on this CPU.* take bf16, or cluster\.device cuda"):
        check_layout(MODEL, training(precision="fp16"), ClusterConfig())
    check_layout(MODEL, training(precision="fp16"), ClusterConfig(device="cuda"))
    monkeypatch.setattr(layout, "cpu_computes_fp16", lambda: True)
    check_layout(MODEL, training(precision="fp16"), ClusterConfig())


def test_stages_must_divide_the_ranks():
    with pytest.raises(RunFileError, match=r"4 stages do not divide cluster\.training_ranks 6; take 4 ranks, or 3 st"):
        check_layout(MODEL, training(pipeline_stages=4), ClusterConfig(training_ranks=6))


def test_a_stage_holds_a_transformer_block():
    with pytest.raises(RunFileError, match=r"8 stages, but model\.num_layers 4.* take 4$"):
        check_layout(MODEL, training(pipeline_stages=8), ClusterConfig(training_ranks=8))


@pytest.mark.parametrize(("stages", "ranks", "nearest"), [(4, 5, 1), (5, 6, 3), (4, 11, 1)])
def test_the_stages_that_a_refusal_names_can_be_taken(stages, ranks, nearest):
    """5 stages would divide 5 ranks, but the model has 4 blocks; 4 divide no 6 ranks."""
    cluster = ClusterConfig(training_ranks=ranks)
    with pytest.raises(RunFileError, match=rf"take (\d+ ranks, or )?{nearest}( stages)?$"):
        check_layout(MODEL, training(pipeline_stages=stages), cluster)
    check_layout(MODEL, training(pipeline_stages=nearest), cluster)
