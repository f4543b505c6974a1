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

    data_workers: int = Field(default=2, ge=1, description="input shards worked on at once")
    training_ranks: int = Field(default=2, ge=1, description="processes that train the model together")
    threads_per_rank: int = Field(default=1, ge=1, description="CPU threads of one training process")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="what a training process computes on")
    max_retries: int = Field(default=3, ge=0, description="new tries of a shard whose worker or node was lost")
    shard_timeout_s: float | None = Field(default=None, gt=0, description="wall time of one shard; none by default")
    hardware: str | None = Field(default=None, description="device of a rank, by its name in scaling/hardware.toml")
    device_peak_flops_per_second: float | None = Field(
        default=None, gt=0, description="datasheet's dense peak in the run's precision, for a device not in the table"
    )
    mfu: MfuConfig | None = Field(default=None, description="what share of the peak training reaches; hours need it")
    price_per_device_hour: float | None = Field(
        default=None, ge=0, description="of one device, in the currency of budget.max_cost; cost needs it"
    )
