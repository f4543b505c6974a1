"""Whether a training on GPUs could find one on this machine; asked without torch, which takes seconds to load, and
without Ray, which takes as long to start.

It is sure of none alone: how many there are, and whether torch can use them, the ranks and `seedbed doctor` find out.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from seedbed.errors import UsageError
from seedbed.plan import TO_DO, Plan

DEVICES = ("nvidia[0-9]*", "nvhost*", "dxg", "kfd")
"""What the drivers put into /dev: NVIDIA's, its Jetson's, Windows' for WSL, AMD's for ROCm."""
ON_GPUS = ("pretrain", "evaluate")
"""The steps that compute there."""
HIDDEN = ("", "-1", "NoDevFiles")
"""Values of CUDA_VISIBLE_DEVICES that hide every GPU; the last is Slurm's."""


def has_gpu(devices: Path = Path("/dev"), environment: Mapping[str, str] = os.environ) -> bool:
    """False where there is none, or every one is hidden from programs."""
    if environment.get("CUDA_VISIBLE_DEVICES") in HIDDEN:
        return False
    return any(next(devices.glob(name), None) is not None for name in DEVICES)


def lack_of_gpu(plan: Plan) -> str | None:
    """Why `seedbed run` could not train or evaluate here; None where it could, does it elsewhere, or has done it."""
    cluster = plan.run.cluster
    if cluster.device != "cuda" or cluster.address is not None or not _to_do_on_gpus(plan) or has_gpu():
        return None
    return (
        "cluster.device: cuda, but this machine has no GPU that programs may use, and without cluster.address the run"
        " is on this machine: take cluster.device: cpu, or submit it to a cluster that has GPUs (`seedbed submit`)"
    )


def _to_do_on_gpus(plan: Plan) -> list[str]:
    return [kind for kind in ON_GPUS if plan.step(kind).state == TO_DO]


def require_gpu(plan: Plan, until: str | None) -> None:
    """Raises UsageError before anything is started for a training that could find no GPU. Data steps need none."""
    kinds = [step.kind for step in plan.steps]
    wanted = [kind for kind in _to_do_on_gpus(plan) if until is None or kinds.index(until) >= kinds.index(kind)]
    if wanted and (why := lack_of_gpu(plan)) is not None:
        raise UsageError(why)
