"""The contract of pretraining: what the launcher is given, what it gives back, and how a batch is cut."""

from dataclasses import dataclass

from dataprep.errors import SeedbedError
from jobs.ending import GO_ON_LATER
from seedbed.errors import RunFileError
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


@dataclass(frozen=True)
class TrainTask:
    """One pretraining run. Every rank gets the same."""

    store_url: str
    artifact_path: str  # in the store; checkpoints go to `<artifact_path>/checkpoints/step-00000100/`
    train_shards: tuple[str, ...]  # store paths without suffix, in the order of the stream
    validation_shards: tuple[str, ...]
    validation_tokens: int
    validation_bytes: int  # UTF-8 bytes of the validation text, without what the tokenizer adds
    model: ModelConfig
    training: TrainingConfig
    cluster: ClusterConfig
    state_dir: str  # POSIX folder of the driver's machine, for the metrics spool: no rank touches it
    scratch_dir: str | None  # of each node by itself (`jobs.scratch`): fetched shards, staged checkpoints
    fingerprint: str

    @property
    def checkpoints_path(self) -> str:
        return f"{self.artifact_path}/checkpoints"


@dataclass(frozen=True)
class TrainResult:
    """What came out. Losses are in nats per token; the end-of-document token counts like any other."""

    steps: int
    loss_first: float  # of the first step's global batch
    loss_last: float  # of the last step's global batch
    validation_loss: float
    perplexity: float | None  # exp(validation_loss)
    bits_per_byte: float  # validation loss in bits over UTF-8 bytes: see `jobs.scores`
    tokens: int  # trained on, over all steps
    seconds: float  # in steps that count, of all attempts; without start, validation and checkpoints
    tokens_per_second: float  # tokens / seconds
    restarts: int  # of the group, in this call


@dataclass(frozen=True)
class BatchLayout:
    """How the global batch is cut: accumulation x ranks x micro batch."""

    global_batch_sequences: int
    num_ranks: int
    micro_batch_sequences: int
    accumulation_steps: int


def batch_layout(training: TrainingConfig, sequence_length: int, num_ranks: int) -> BatchLayout:
    """The cut of the global batch. Raises RunFileError with the arithmetic where it leaves a remainder."""
    tokens, micro = training.global_batch_tokens, training.micro_batch_sequences
    sequences, rest = divmod(tokens, sequence_length)
    if rest or not sequences:
        raise RunFileError(
            f"training.global_batch_tokens: {tokens} = {sequences} x {sequence_length} + {rest}, but a batch is made of"
            f" whole sequences of model.sequence_length {sequence_length}; take {max(sequences, 1) * sequence_length}"
        )
    accumulation, rest = divmod(sequences, num_ranks * micro)
    if rest or not accumulation:
        raise RunFileError(
            f"training.global_batch_tokens: {tokens} / {sequence_length} = {sequences} sequences, but {num_ranks} ranks"
            f" x {micro} micro_batch_sequences = {num_ranks * micro} do not divide it; take a multiple of"
            f" {num_ranks * micro * sequence_length} tokens, or another micro batch"
        )
    return BatchLayout(sequences, num_ranks, micro, accumulation)


class TrainingDiverged(SeedbedError):
    """The loss is no number any more; going on would ruin the weights."""


class Superseded(SeedbedError):
    """The same run was started again, and the later start writes now."""


class Stopped(SeedbedError):
    """Somebody asked the training to stop, and it did: run again, it goes on from its newest checkpoint."""

    exit_code = GO_ON_LATER
