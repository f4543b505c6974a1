from pathlib import Path

import pytest

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.yaml_tree import read_tree
from seedbed.scaling import matmul_parameters, parameter_counts

MODELS = sorted((Path(__file__).parents[3] / "configs" / "models").glob("*.yaml"))
GPT2_SMALL = ModelConfig(num_layers=12, width=768, num_heads=12, sequence_length=1024, vocab_size=50257)
GPT3 = ModelConfig(num_layers=96, width=12288, num_heads=96, sequence_length=2048, vocab_size=50257)
COMPONENTS = {  # kind of block of `jobs.pretrain.model`, and within a layer the lead of a parameter's name -> component
    "TokenEmbedding": "token_embedding",
    "PositionEmbedding": "position_embedding",
    "FinalNorm": "norms",
    "Projection": "output_projection",
    "attention.": "attention",
    "mlp_input.": "mlp",
    "mlp_output.": "mlp",
    "attention_norm.": "norms",
    "mlp_norm.": "norms",
}


def counted_by_torch(config):
    import torch

    from jobs.pretrain.model import GPT

    counts = dict.fromkeys(COMPONENTS.values(), 0)
    with torch.device("meta"):  # no content: the large ones take no memory
        model = GPT(config)
    for name, parameter in model.named_parameters():  # a tied weight comes once
        _, block, within_block = name.split(".", 2)
        kind = type(model.blocks[int(block)]).__name__
        lead = kind if kind in COMPONENTS else next(lead for lead in COMPONENTS if within_block.startswith(lead))
        counts[COMPONENTS[lead]] += parameter.numel()
    return counts


def test_parameters_by_component(tiny):
    counts = parameter_counts(tiny)
    assert counts.token_embedding == 300 * 8
    assert counts.position_embedding == 16 * 8
    assert counts.attention == 2 * (8 * 24 + 24 + 8 * 8 + 8)
    assert counts.mlp == 2 * (8 * 32 + 32 + 32 * 8 + 8)
    assert counts.norms == 5 * 16
    assert counts.output_projection == 0
    assert counts.total == 2400 + 128 + 576 + 1104 + 80
    assert counts.without_embeddings == 576 + 1104 + 80


def test_gpt2_small_has_124_million_parameters():
    # 124,439,808: what `transformers` counts for the published model
    assert parameter_counts(GPT2_SMALL).total == 124_439_808


def test_gpt3_has_175_billion_parameters():
    # Brown et al. 2020, table 2.1: 96 layers of width 12,288
    assert round(parameter_counts(GPT3).total / 1e9) == 175


def test_matrices_are_counted_without_biases_and_lookups(tiny):
    assert matmul_parameters(tiny) == 2 * 12 * 8 * 8 + 300 * 8


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_the_counts_of_a_shipped_model_are_torchs(path):
    config = ModelConfig.model_validate(read_tree(path, path.name).value)
    assert vars(parameter_counts(config)) == counted_by_torch(config)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("ratio", [1, 4])
def test_the_counts_of_any_shape_are_torchs(tiny, tied, ratio):
    config = tiny.model_copy(update={"tied_embeddings": tied, "mlp_ratio": ratio})
    assert vars(parameter_counts(config)) == counted_by_torch(config)
