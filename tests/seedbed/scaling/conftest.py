"""Two models: one that can be counted on paper, and a published one."""

import pytest

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


@pytest.fixture
def tiny():
    """V 300, S 16, D 8, L 2, H 2, inner 32."""
    return ModelConfig(num_layers=2, width=8, num_heads=2, sequence_length=16, vocab_size=300)


@pytest.fixture
def training():
    def make(**changes):
        base = {"num_steps": 1, "global_batch_tokens": 32, "micro_batch_sequences": 2, "learning_rate": 0.1}
        return TrainingConfig(**base | changes)

    return make
