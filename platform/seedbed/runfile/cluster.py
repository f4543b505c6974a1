"""What it runs on. Nothing here changes a byte of any artifact of the data."""

from typing import Literal

from pydantic import Field

from seedbed.runfile.strict import Strict


class ClusterConfig(Strict):
    """The machines of a run."""

    data_workers: int = Field(default=2, ge=1, description="input shards worked on at once")
    training_ranks: int = Field(default=2, ge=1, description="processes that train the model together")
    threads_per_rank: int = Field(default=1, ge=1, description="CPU threads of one training process")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="what a training process computes on")
    max_retries: int = Field(default=3, ge=0, description="new tries of a shard whose worker or node was lost")
    shard_timeout_s: float | None = Field(default=None, gt=0, description="wall time of one shard; none by default")
