"""How a run is laid over its ranks: what DeepSpeed can do, and how the global batch is cut.

Checked when the run file is read, so that nothing starts that would stop at its first step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import RunFileError
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

CPU_FP16_FLAGS = {"avx512_fp16", "amx_fp16"}
"""What a CPU's flags must have for fp16 (what torch's `mkldnn._is_mkldnn_fp16_supported` asks for, and DeepSpeed)."""


@dataclass(frozen=True)
class BatchLayout:
    """How the global batch is cut: accumulation x data ranks x micro batch, the last rows padded where it leaves some.

    Padded rows have no target, and the loss is a sum over tokens divided by the tokens of the global batch, so that
    gradients are those of the batch however it is cut.
    """

    global_batch_sequences: int
    data_ranks: int  # groups of ranks that hold the model once each
    micro_batch_sequences: int
    accumulation_steps: int

    @property
    def padding_sequences(self) -> int:
        """Rows of an optimizer step that are computed for nothing."""
        cut = self.data_ranks * self.micro_batch_sequences * self.accumulation_steps
        return cut - self.global_batch_sequences

    @property
    def rows_per_sequence(self) -> float:
        """Rows that are computed for each sequence of the batch: 1 where none is padding."""
        return 1 + self.padding_sequences / self.global_batch_sequences

    def rows_of(self, accumulation_step: int, data_rank: int) -> slice:
        """Which rows of the global batch a data rank takes in an accumulation step; past its end there are none."""
        start = (accumulation_step * self.data_ranks + data_rank) * self.micro_batch_sequences
        return slice(start, min(start + self.micro_batch_sequences, self.global_batch_sequences))


def batch_layout(training: TrainingConfig, sequence_length: int, num_ranks: int) -> BatchLayout:
    """The cut of the global batch. Raises RunFileError where it is not made of whole sequences."""
    tokens, micro = training.global_batch_tokens, training.micro_batch_sequences
    sequences, rest = divmod(tokens, sequence_length)
    if rest or not sequences:
        raise RunFileError(
            f"training.global_batch_tokens: {tokens} = {sequences} x {sequence_length} + {rest}, but a batch is made of"
            f" whole sequences of model.sequence_length {sequence_length}; take {max(sequences, 1) * sequence_length}"
        )
    data_ranks = num_ranks // training.pipeline_stages
    return BatchLayout(sequences, data_ranks, micro, -(-sequences // (data_ranks * micro)))


def check_layout(model: ModelConfig, training: TrainingConfig, cluster: ClusterConfig) -> None:
    """Raises RunFileError for what cannot be run, with the reason and the nearest that can."""
    for key, message in layout_problems(model, training, cluster):
        raise RunFileError(f"{key}: {message}")
    check_machine(training, cluster)
    batch_layout(training, model.sequence_length, cluster.training_ranks)


def check_machine(training: TrainingConfig, cluster: ClusterConfig) -> None:
    """Raises RunFileError for what this machine cannot compute. What a run file says elsewhere holds here too."""
    if training.precision == "fp16" and cluster.device == "cpu" and not cpu_computes_fp16():
        raise RunFileError(
            "training.precision: fp16 on this CPU, which has no fp16 arithmetic (none of the flags"
            f" {', '.join(sorted(CPU_FP16_FLAGS))}); take bf16, or cluster.device cuda"
        )


def layout_problems(model: ModelConfig, training: TrainingConfig, cluster: ClusterConfig) -> Iterator[tuple[str, str]]:
    """The key and what is wrong with it, for each combination that no machine can run, with the nearest that can be."""
    stages, ranks = training.pipeline_stages, cluster.training_ranks
    if training.precision != "fp32" and training.zero_stage == 0:
        # DeepSpeed 0.19: `unsupported mix of model_dtype and grad_accum_dtype`
        yield (
            "training.zero_stage",
            f"0 with training.precision {training.precision}: DeepSpeed would add up gradients in"
            f" {training.precision}, which loses the small ones; take zero_stage 1, which adds them up in fp32",
        )
    if training.optimizer_offload == "cpu" and training.zero_stage == 0:
        yield (
            "training.optimizer_offload",
            "cpu with training.zero_stage 0: it is ZeRO that offloads; take zero_stage 1",
        )
    if stages > 1 and training.zero_stage > 1:
        yield (
            "training.zero_stage",
            f"{training.zero_stage} with {stages} pipeline_stages: a pipeline adds up gradients over its micro batches,"
            " which ZeRO-2 and 3 cut up after each; take zero_stage 1, or pipeline_stages 1 with zero_stage"
            f" {training.zero_stage}",
        )
    if stages > model.num_layers:
        yield (
            "training.pipeline_stages",
            f"{stages} stages, but model.num_layers {model.num_layers}: a stage holds one transformer block at least;"
            f" take {_nearest_stages(ranks, stages, model.num_layers)}",
        )
    elif ranks % stages:
        yield (
            "training.pipeline_stages",
            f"{stages} stages do not divide cluster.training_ranks {ranks}; take {max(ranks // stages, 1) * stages}"
            f" ranks, or {_nearest_stages(ranks, stages, model.num_layers)} stages",
        )


def _nearest_stages(ranks: int, wanted: int, num_layers: int) -> int:
    """The number of stages next to `wanted` that divides the ranks and leaves each stage a block."""
    possible = (d for d in range(1, min(ranks, num_layers) + 1) if ranks % d == 0)
    return min(possible, key=lambda d: (abs(d - wanted), d))


def cpu_computes_fp16() -> bool:
    """Whether this machine's CPU has fp16 arithmetic; no where it does not say (outside Linux)."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and bool(CPU_FP16_FLAGS & set(cpuinfo.read_text().split()))
