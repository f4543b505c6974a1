"""By hand; `tests/jobs/pretrain/test_memory.py` holds the sums to measured peaks."""

import pytest

from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.scaling import memory_by_role, memory_per_rank, parameter_counts

WIDE = ModelConfig(num_layers=4, width=512, num_heads=8, sequence_length=16, vocab_size=300)  # 13 M parameters


def memory(model, training, *, ranks=4, accumulation=2, **changes):
    config = training(micro_batch_sequences=1, **changes)
    return memory_per_rank(model, config, BatchLayout(8, ranks // config.pipeline_stages, 1, accumulation))


@pytest.mark.parametrize(
    ("precision", "stage", "weights", "gradients", "optimizer", "buffers"),
    # Bytes a parameter on 4 ranks when the last gradients are added up: of 16 (Rajbhandari et al. 2020, 3.1), cut by
    # the stage, and the bucket that they are flattened into, here all of them.
    [
        ("fp32", 0, 4, 4, 8, 4),
        ("fp32", 1, 4, 4, 3, 4),
        ("fp32", 2, 4, 1 + 4, 3, 4),  # a share of earlier micro batches, and the bucket
        ("fp32", 3, 1 + 4, 1 + 4, 3, 4),  # a share of the weights, and all of them gathered
        ("bf16", 1, 2, 4 + 2, 3, 4),
        ("bf16", 2, 2, 1 + 2, 3, 2 + 4),
        ("bf16", 3, 0.5 + 2, 1 + 2, 3, 2 + 4 + 4),
        ("fp16", 2, 2, 1 + 2, 3, 2 + 4),
    ],
)
def test_the_training_state_of_a_rank(training, precision, stage, weights, gradients, optimizer, buffers):
    found = memory(WIDE, training, precision=precision, zero_stage=stage)
    parameters = parameter_counts(WIDE).total
    state = (found.weights, found.gradients, found.optimizer, found.buffers)
    assert found.moment == "reduce"
    assert state == tuple(parameters * of for of in (weights, gradients, optimizer, buffers))
    assert found.total == sum(state)


def test_the_optimizers_step_is_the_fullest_moment_of_a_large_model_on_one_rank(training):
    large = WIDE.model_copy(update={"width": 4096})  # 807 M parameters: far more than a bucket
    found = memory(large, training, ranks=1, zero_stage=1)
    parameters = parameter_counts(large).total
    # fp32: weights 4, optimizer 12, the gradients once in pieces and once in one
    assert (found.moment, found.total) == ("step", parameters * (4 + 12 + 4 + 4))


def test_an_offloaded_optimizer_takes_the_hosts_memory(training):
    on_device = memory(WIDE, training, zero_stage=2, precision="bf16")
    offloaded = memory(WIDE, training, zero_stage=2, precision="bf16", optimizer_offload="cpu")
    parameters = parameter_counts(WIDE).total
    assert (on_device.host, offloaded.optimizer) == (0, 0)
    assert offloaded.host == parameters * (12 + 4) / 4  # the optimizer's share, and that of the fp32 gradients
    assert offloaded.total == on_device.total - parameters * 12 / 4


# V 300, S 16, D 8, L 2, H 2 is tiny enough to count on paper; with 64 sequences activations outweigh the state.
def loss_moment(tiny, training, **changes):
    config = training(micro_batch_sequences=64, global_batch_tokens=64 * 16 * 4, **changes)
    roles = memory_by_role(tiny, config, BatchLayout(256, 1, 64, 4))
    assert {role.moment for role in roles} == {"loss"}
    return roles


def test_activations_are_korthikantis_34_bytes(tiny, training):
    config = tiny.model_copy(update={"dropout": 0.1})
    (found,) = loss_moment(config, training, precision="bf16")
    # 16 bits, dropout, ratio 4: 34 D a layer and, in fp32, 4 for the norms and 2 for the heads; the head's two inputs;
    # ids of 8 bytes, twice; the mask of the embedding
    a_token = 2 * (34 * 8 + 4 * 6) + 2 * 2 * 8 + 16 + 8
    assert found.activations == 64 * 16 * a_token


def test_logits_and_their_gradients_take_twelve_bytes_in_every_precision(tiny, training):
    for precision in ("fp32", "bf16"):
        (found,) = loss_moment(tiny, training, precision=precision)
        assert found.logits == 64 * 16 * 300 * 12


def test_recomputing_keeps_one_input_a_block(tiny, training):
    (found,) = loss_moment(tiny, training, activation_checkpointing=True)
    # fp32: an input of 4 D for each of 2 layers, the head's two, the ids. The block that is computed again comes after
    # the logits are gone.
    assert found.activations == 64 * 16 * (2 * 4 * 8 + 2 * 4 * 8 + 16)


def test_where_the_vocabulary_is_small_the_recomputed_block_is_the_peak(training):
    model = ModelConfig(num_layers=8, width=512, num_heads=8, sequence_length=16, vocab_size=300)
    config = training(
        micro_batch_sequences=512, global_batch_tokens=512 * 16, activation_checkpointing=True, zero_stage=0
    )
    found = memory_per_rank(model, config, BatchLayout(512, 1, 512, 1))
    block = 16 * 512 * 4 + (4 + 8) * 4
    passing = (1 + 4) * 512 * 4  # gradients of the block's output and inside its MLP
    assert found.logits == 0
    assert found.activations == 512 * 16 * (8 * 512 * 4 + 2 * 512 * 4 + 16 + block + passing)


def test_each_stage_of_a_pipeline_has_its_own_peak(training):
    model = ModelConfig(num_layers=4, width=8, num_heads=2, sequence_length=16, vocab_size=300)
    first, middle, before_last, last = loss_moment(model, training, pipeline_stages=4)
    a_layer, tokens = 16 * 8 * 4 + (4 + 2) * 4, 64 * 16
    # 1F1B: 4, 3, 2 and 1 micro batches at once; each stage keeps what it put out, the first and last the ids
    passing = tokens * 5 * 8 * 4
    assert first.activations == 4 * tokens * (a_layer + 8 * 4 + 16) + passing
    assert middle.activations == 3 * tokens * (a_layer + 8 * 4) + passing
    assert before_last.activations == 2 * tokens * (a_layer + 8 * 4) + passing
    assert last.activations == tokens * (a_layer + 2 * 8 * 4 + 16)
    assert last.logits == tokens * 300 * (12 + 2 * 4)  # DeepSpeed keeps two micro batches' logits
    assert [role.role for role in (first, last)] == ["stage 1 of 4", "stage 4 of 4"]


def test_a_tied_embedding_stands_on_the_first_stage_and_on_the_last(training):
    model = ModelConfig(num_layers=4, width=8, num_heads=2, sequence_length=16, vocab_size=300)
    counts = parameter_counts(model)
    first, middle, last = (loss_moment(model, training, pipeline_stages=4)[number].weights // 4 for number in (0, 1, 3))
    assert first - middle == counts.token_embedding + counts.position_embedding
    assert last - middle == counts.token_embedding + 2 * 8
    untied = model.model_copy(update={"tied_embeddings": False})
    assert loss_moment(untied, training, pipeline_stages=4)[3].weights // 4 == last


def test_fewer_micro_batches_than_stages_fill_no_pipeline(tiny, training):
    config = training(micro_batch_sequences=64, pipeline_stages=2)
    first, _ = memory_by_role(tiny, config, BatchLayout(64, 1, 64, 1))
    again, _ = memory_by_role(tiny, config, BatchLayout(256, 1, 64, 4))
    assert first.activations < again.activations
