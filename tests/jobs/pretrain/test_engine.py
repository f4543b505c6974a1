import os

import pytest

from seedbed.layout import BatchLayout
from seedbed.runfile.training import TrainingConfig

os.environ.setdefault("DS_ACCELERATOR", "cpu")
pytestmark = pytest.mark.slow  # importing DeepSpeed takes seconds

LAYOUT = BatchLayout(global_batch_sequences=22, data_ranks=2, micro_batch_sequences=4, accumulation_steps=3)


def config(**changes):
    from jobs.pretrain.engine import deepspeed_config

    base = {"num_steps": 1, "global_batch_tokens": 384, "micro_batch_sequences": 4, "learning_rate": 0.1}
    return deepspeed_config(TrainingConfig(**base | changes), LAYOUT, num_parameters=1000)


def test_what_changed_between_releases_is_said():
    said = config(gradient_clipping=0.5)
    assert said["gradient_clipping"] == 0.5
    assert said["data_types"] == {"grad_accum_dtype": "fp32"}
    assert said["zero_optimization"]["overlap_comm"] is False
    assert said["bf16"] == {"enabled": False, "check_grad_overflow": True}


def test_the_batch_is_the_layouts_with_its_padding():
    said = config()
    assert said["train_batch_size"] == 24
    assert said["train_micro_batch_size_per_gpu"] == 4
    assert said["gradient_accumulation_steps"] == 3


def test_only_matrices_decay():
    from jobs.pretrain.engine import parameter_groups
    from jobs.pretrain.model import GPT
    from seedbed.runfile.model import ModelConfig

    model = GPT(ModelConfig(num_layers=1, width=8, num_heads=1, sequence_length=8, vocab_size=300))
    decayed, rest = parameter_groups(model.parameters(), 0.1)
    assert (decayed["weight_decay"], rest["weight_decay"]) == (0.1, 0.0)
    assert len(decayed["params"]) == 6  # two embeddings, four matrices of the block
    assert len(decayed["params"]) + len(rest["params"]) == len(list(model.parameters()))
