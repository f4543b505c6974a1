"""The contract of pretraining: what the launcher is given, and what it gives back."""

from dataclasses import dataclass, field

from dataprep.errors import SeedbedError
from jobs.pretrain.shards import TokenShards
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


@dataclass(frozen=True)
class TrainTask:
    """One pretraining run. Every rank gets the same."""

    store_url: str
    artifact_path: str  # in the store; checkpoints go to `<artifact_path>/checkpoints/step-00000100/`
    shards: TokenShards
    validation_tokens: int
    validation_bytes: int  # UTF-8 bytes of the validation text, without what the tokenizer adds
    model: ModelConfig
    training: TrainingConfig
    cluster: ClusterConfig
    state_dir: str  # POSIX folder of the driver's machine, for the metrics spool: no rank touches it
    scratch_dir: str | None  # of each node by itself (`jobs.scratch`): fetched shards, staged checkpoints
    fingerprint: str
    quotas: dict[str, int] = field(default_factory=dict)  # samples of each source over the run; empty: no mixture

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


class TrainingDiverged(SeedbedError):
    """The loss is no number any more; going on would ruin the weights."""

    failure = "data"


class Superseded(SeedbedError):
    """The same run was started again, and the later start writes now."""

    failure = "user_error"
