"""The size of a checkpoint, as DeepSpeed writes it."""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.memory import BF16_BYTES, FP32_BYTES
from seedbed.scaling.parameters import parameter_counts

ADAM_MOMENTS = 2  # fp32, both: Loshchilov and Hutter 2019, algorithm 2


@dataclass(frozen=True)
class CheckpointSize:
    """Bytes of one checkpoint, over the files of all ranks. Left out: random states, names and metrics."""

    weights: int  # in the precision of training
    optimizer: int  # AdamW's two moments, and under ZeRO or in bf16 the fp32 weights

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def checkpoint_size(model: ModelConfig, training: TrainingConfig) -> CheckpointSize:
    """Bytes of one checkpoint with P parameters, whatever the number of ranks: ZeRO's shares make one whole.

    fp32 ZeRO-0  4 P + 8 P    fp32 ZeRO-1  4 P + 12 P    bf16 ZeRO-1  2 P + 12 P
    """
    parameters = parameter_counts(model).total
    is_bf16 = training.precision == "bf16"
    keeps_fp32_weights = is_bf16 or training.zero_stage == 1
    return CheckpointSize(
        weights=parameters * (BF16_BYTES if is_bf16 else FP32_BYTES),
        optimizer=parameters * FP32_BYTES * (ADAM_MOMENTS + keeps_fp32_weights),
    )
