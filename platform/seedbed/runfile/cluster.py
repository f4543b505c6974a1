"""What it runs on. Nothing here changes a byte of any artifact of the data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict


class MfuConfig(Strict):
    """Model FLOPs utilization: model FLOPs per second over the dense peak, as measured or expected on this cluster."""

    low: float = Field(gt=0, le=1, description="share of the peak at worst")
    high: float = Field(gt=0, le=1, description="share of the peak at best")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        return self


class ClusterConfig(Strict):
    """The machines of a run."""

    address: str | None = Field(
        default=None, description="`host:port` of a Ray that is up, or `auto`; without one the run starts its own"
    )
    scratch_dir: str | None = Field(
        default=None,
        description="folder of each node for fetched shards and staged checkpoints;"
        " the state directory's on a Ray of the run's own, else one under TMPDIR",
    )
    data_workers: int = Field(default=2, ge=1, description="input shards worked on at once")
    training_ranks: int = Field(default=2, ge=1, description="processes that train the model together")
    min_training_ranks: int | None = Field(
        default=None, ge=1, description="train on as few where there is no room for all; without it, on all or not"
    )
    placement_timeout_s: float = Field(default=120.0, gt=0, description="wait for room for all training processes")
    threads_per_rank: int = Field(default=1, ge=1, description="CPU threads of one training process")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="what a training process computes on")
    max_retries: int = Field(default=3, ge=0, description="new tries of a shard whose worker or node was lost")
    shard_timeout_s: float | None = Field(default=None, gt=0, description="wall time of one shard; none by default")
    hardware: str | None = Field(
        default=None,
        description="device of a rank: a name in platform/seedbed/scaling/hardware.toml, such as nvidia-h100-sxm5-80gb",
    )
    device_peak_flops_per_second: float | None = Field(
        default=None, gt=0, description="datasheet's dense peak in the run's precision, for a device not in the table"
    )
    device_memory_bytes: float | None = Field(
        default=None, gt=0, description="datasheet's memory of one device, for a device not in the table"
    )
    mfu: MfuConfig | None = Field(default=None, description="what share of the peak training reaches; hours need it")
    price_per_device_hour: float | None = Field(
        default=None, ge=0, description="of one device, in the currency of budget.max_cost; cost needs it"
    )

    @model_validator(mode="after")
    def _ranks_in_order(self) -> Self:
        if (self.min_training_ranks or 1) > self.training_ranks:
            raise ValueError(
                f"min_training_ranks {self.min_training_ranks} is above training_ranks {self.training_ranks}"
            )
        return self
