"""The size of a checkpoint."""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig
from seedbed.scaling.memory import FP32_BYTES
from seedbed.scaling.parameters import parameter_counts

ADAM_MOMENTS = 2  # fp32, both: Loshchilov and Hutter 2019, algorithm 2


@dataclass(frozen=True)
class CheckpointSize:
    """Bytes of one checkpoint, over the files of all ranks. Left out: names and metrics."""

    weights: int  # fp32, in every precision of training
    optimizer: int  # AdamW's two moments

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def checkpoint_size(model: ModelConfig) -> CheckpointSize:
    """Bytes of one checkpoint: 12 for each parameter, whatever the layout."""
    parameters = parameter_counts(model).total
    return CheckpointSize(weights=parameters * FP32_BYTES, optimizer=parameters * FP32_BYTES * ADAM_MOMENTS)
