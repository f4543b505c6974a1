"""How long the training steps take and what they cost: a range, as MFU is one, or unknown with the reason.

    step time = model FLOPs of a step, padding included / (ranks x dense peak of a device x MFU)

Left out: the data steps, validation, checkpoints, and work lost to restarts.
"""

from dataclasses import dataclass
from typing import Any

from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.hardware import devices

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Estimate:
    """A number between `low` and `high`; both are None where it is unknown, and `reason` says why."""

    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @classmethod
    def unknown(cls, reason: str) -> "Estimate":
        return cls(reason=reason)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Estimate":
        return cls(**value)

    def times(self, factor: float) -> "Estimate":
        """The same, `factor` times as large; what is unknown stays so."""
        if self.low is None or self.high is None:
            return self
        return Estimate(self.low * factor, self.high * factor)


def step_time_s(
    model_flops_per_token: int, training: TrainingConfig, cluster: ClusterConfig, rows_per_sequence: float = 1.0
) -> Estimate:
    """Seconds of one optimizer step on the run's ranks, one device each, computing so many rows for each sequence of
    the batch: more than one where some are padding."""
    peak = peak_flops_per_second(cluster, training.precision)
    if peak.low is None:
        return peak
    if cluster.mfu is None:
        return Estimate.unknown("cluster.mfu is not stated: the range of MFU that was measured or is expected there")
    flops = model_flops_per_token * training.global_batch_tokens * rows_per_sequence
    at_peak_s = flops / (cluster.training_ranks * peak.low)
    return Estimate(at_peak_s / cluster.mfu.high, at_peak_s / cluster.mfu.low)


def peak_flops_per_second(cluster: ClusterConfig, precision: str) -> Estimate:
    """The dense peak of one of the run's devices: as stated, else by the table."""
    if cluster.device_peak_flops_per_second is not None:
        return Estimate(cluster.device_peak_flops_per_second, cluster.device_peak_flops_per_second)
    if cluster.hardware is None:
        return Estimate.unknown("cluster.hardware is not stated: the device that a training process computes on")
    if cluster.device == "cpu":
        return Estimate.unknown(f"cluster.device is cpu, and cluster.hardware {cluster.hardware} is none")
    device = devices()[cluster.hardware]
    if precision not in device.peak_flops_per_second:
        return Estimate.unknown(f"no peak in {precision} is known of cluster.hardware {cluster.hardware}")
    peak = device.peak_flops_per_second[precision]
    return Estimate(peak, peak)


def wall_hours(step_time: Estimate, num_steps: int) -> Estimate:
    """Hours of all training steps."""
    return step_time.times(num_steps / SECONDS_PER_HOUR)


def device_hours(wall: Estimate, num_ranks: int) -> Estimate:
    """GPU-hours (CPU: rank-hours) of all training steps."""
    return wall.times(num_ranks)


def cost(hours: Estimate, price_per_device_hour: float | None) -> Estimate:
    """Money for these device hours, in the currency of the price."""
    if price_per_device_hour is None:
        return Estimate.unknown("cluster.price_per_device_hour is not stated; no prices are shipped")
    return hours.times(price_per_device_hour)
