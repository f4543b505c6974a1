import pytest

from seedbed.scaling import memory_per_rank, parameter_counts


@pytest.mark.parametrize(
    ("precision", "stage", "bytes_per_parameter"),
    # the table in `memory_per_rank`, on 4 ranks
    [("fp32", 0, 16), ("fp32", 1, 8 + 12 / 4), ("bf16", 0, 16), ("bf16", 1, 8 + 12 / 4)],
)
def test_the_training_state_per_rank(tiny, training, precision, stage, bytes_per_parameter):
    memory = memory_per_rank(tiny, training(precision=precision, zero_stage=stage), num_ranks=4)
    state = memory.weights + memory.gradients + memory.optimizer
    assert state == parameter_counts(tiny).total * bytes_per_parameter


def test_activations_are_korthikantis_34_bytes(tiny, training):
    # 16 bits, dropout, ratio 4: 34 s b h a layer; and the head's two inputs, 2 x 2 s b h
    config = tiny.model_copy(update={"dropout": 0.1})
    memory = memory_per_rank(config, training(precision="bf16"), num_ranks=1)
    assert memory.activations == (2 * 34 + 4) * 16 * 2 * 8


def test_checkpointing_keeps_one_input_a_block(tiny, training):
    # fp32, no dropout: a block keeps 16 D x 4 bytes, its input is D x 4; the head 2 D x 4
    memory = memory_per_rank(tiny, training(activation_checkpointing=True), num_ranks=1)
    assert memory.activations == (2 * 4 + 64 + 8) * 16 * 2 * 8


def test_logits_in_fp32_count_three_times(tiny, training):
    assert memory_per_rank(tiny, training(), num_ranks=1).logits == 3 * 4 * 16 * 2 * 300
