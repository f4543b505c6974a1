"""The size of a checkpoint, as `jobs.pretrain.checkpoint` writes it: the same in every layout and precision."""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig
from seedbed.scaling.memory import ADAM_MOMENTS, FP32_BYTES
from seedbed.scaling.parameters import parameter_counts


@dataclass(frozen=True)
class CheckpointSize:
    """Bytes of one checkpoint, over the files of all ranks. Left out: names and metrics."""

    weights: int  # fp32
    optimizer: int  # AdamW's two moments, fp32

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def checkpoint_size(model: ModelConfig) -> CheckpointSize:
    """Bytes of one checkpoint: with P parameters 4 P + 8 P."""
    parameters = parameter_counts(model).total
    return CheckpointSize(weights=parameters * FP32_BYTES, optimizer=parameters * FP32_BYTES * ADAM_MOMENTS)
