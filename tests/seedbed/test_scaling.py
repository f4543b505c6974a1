import pytest

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling import flops_per_token, matmul_parameters, memory_per_rank, parameter_counts

# V 300, S 16, D 8, L 2, H 2, inner 32
TINY = ModelConfig(num_layers=2, width=8, num_heads=2, sequence_length=16, vocab_size=300)
GPT2_SMALL = ModelConfig(num_layers=12, width=768, num_heads=12, sequence_length=1024, vocab_size=50257)


def training(**changes):
    base = {"num_steps": 1, "global_batch_tokens": 32, "micro_batch_sequences": 2, "learning_rate": 0.1}
    return TrainingConfig(**base | changes)


def test_parameters_by_component():
    counts = parameter_counts(TINY)
    assert counts.token_embedding == 300 * 8
    assert counts.position_embedding == 16 * 8
    assert counts.attention == 2 * (8 * 24 + 24 + 8 * 8 + 8)
    assert counts.mlp == 2 * (8 * 32 + 32 + 32 * 8 + 8)
    assert counts.norms == 5 * 16
    assert counts.output_projection == 0
    assert counts.total == 2400 + 128 + 576 + 1104 + 80


def test_gpt2_small_has_124_million_parameters():
    # 124,439,808: what `transformers` counts for the published model
    assert parameter_counts(GPT2_SMALL).total == 124_439_808


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("ratio", [1, 4])
def test_the_counts_are_torchs(tied, ratio):
    from jobs.pretrain.model import GPT

    config = TINY.model_copy(update={"tied_embeddings": tied, "mlp_ratio": ratio})
    assert parameter_counts(config).total == sum(p.numel() for p in GPT(config).parameters())


def test_flops_count_matrices_and_half_of_the_attention():
    # N = 2 x 12 x 8^2 + 300 x 8 = 3,936; attention 12 L D S / 2 = 12 x 2 x 8 x 16 / 2 = 1,536
    assert matmul_parameters(TINY) == 3936
    assert flops_per_token(TINY) == 6 * 3936 + 1536


def test_checkpointing_adds_the_forward_of_the_blocks():
    # 2 x 1,536 weights in the blocks + 4 L D S / 2 = 512; the head's 2,400 are not multiplied again
    assert flops_per_token(TINY, activation_checkpointing=True) == 6 * 3936 + 1536 + 2 * 1536 + 512


@pytest.mark.parametrize(
    ("precision", "stage", "bytes_per_parameter"),
    # the table in `memory_per_rank`, on 4 ranks
    [("fp32", 0, 16), ("fp32", 1, 8 + 12 / 4), ("bf16", 0, 16), ("bf16", 1, 8 + 12 / 4)],
)
def test_the_training_state_per_rank(precision, stage, bytes_per_parameter):
    memory = memory_per_rank(TINY, training(precision=precision, zero_stage=stage), num_ranks=4)
    state = memory.weights + memory.gradients + memory.optimizer
    assert state == parameter_counts(TINY).total * bytes_per_parameter


def test_activations_are_korthikantis_34_bytes():
    # 16 bits, dropout, ratio 4: 34 s b h a layer; and the head's two inputs, 2 x 2 s b h
    config = TINY.model_copy(update={"dropout": 0.1})
    memory = memory_per_rank(config, training(precision="bf16"), num_ranks=1)
    assert memory.activations == (2 * 34 + 4) * 16 * 2 * 8


def test_checkpointing_keeps_one_input_a_block():
    # fp32, no dropout: a block keeps 16 D x 4 bytes, its input is D x 4; the head 2 D x 4
    memory = memory_per_rank(TINY, training(activation_checkpointing=True), num_ranks=1)
    assert memory.activations == (2 * 4 + 64 + 8) * 16 * 2 * 8


def test_logits_in_fp32_count_three_times():
    assert memory_per_rank(TINY, training(), num_ranks=1).logits == 3 * 4 * 16 * 2 * 300
