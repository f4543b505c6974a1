"""Room for the ranks of a group: all of them, or where there is none, as many as fit."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group

from jobs.pretrain.task import TrainTask
from seedbed.errors import InfrastructureError, UsageError

LOOK_EVERY_S = 0.5
FEWER_TIMEOUT_S = 5.0  # for a number of ranks that fits by what is free

OnEvent = Callable[[dict[str, Any]], None]


def place(task: TrainTask, on_event: OnEvent, check_stop: Callable[[], None]) -> tuple[PlacementGroup, int]:
    """A placement group with one bundle a rank, and how many ranks: `cluster.training_ranks`, or after
    `cluster.placement_timeout_s` without room the largest number down to `cluster.min_training_ranks` that there is
    room for. `check_stop` is called while it waits, and may raise. The caller removes the group.

    Raises InfrastructureError where there is no room.
    """
    cluster, bundle = task.cluster, bundle_of(task)
    group = _placed(bundle, cluster.training_ranks, cluster.placement_timeout_s, check_stop)
    if group is not None:
        return group, cluster.training_ranks
    free = _free(bundle)
    for number in _fewer(task, free):
        group = _placed(bundle, number, FEWER_TIMEOUT_S, check_stop)
        if group is not None:
            why = f"no room for {cluster.training_ranks} ranks within {cluster.placement_timeout_s:g} s"
            on_event({"event": "fewer_ranks", "num_ranks": number, "reason": why})
            return group, number
    raise InfrastructureError(
        f"no room for {least_ranks(task)} ranks of {bundle} within {cluster.placement_timeout_s:g} s"
        f" (cluster.placement_timeout_s): what is free takes {free}; wait, or end other jobs"
    )


def refuse_too_small_a_cluster(task: TrainTask) -> None:
    """Raises UsageError where the whole cluster, were nothing else on it, is too small for the fewest ranks."""
    least, threads = least_ranks(task), task.cluster.threads_per_rank
    needed, found = least * threads, int(ray.cluster_resources().get("CPU", 0))
    if needed > found:
        key = "training_ranks" if task.cluster.min_training_ranks is None else "min_training_ranks"
        arithmetic = f"{least} ranks x {threads} threads = {needed} CPUs"
        raise UsageError(f"cluster.{key}: {arithmetic}, but the cluster has {found}; take fewer")


def least_ranks(task: TrainTask) -> int:
    return task.cluster.min_training_ranks or task.cluster.training_ranks


def bundle_of(task: TrainTask) -> dict[str, float]:
    """What one rank takes."""
    bundle: dict[str, float] = {"CPU": task.cluster.threads_per_rank}
    if task.cluster.device == "cuda":
        bundle["GPU"] = 1
    return bundle


def _placed(
    bundle: dict[str, float], num_ranks: int, timeout_s: float, check_stop: Callable[[], None]
) -> PlacementGroup | None:
    group = placement_group([bundle] * num_ranks, strategy="PACK")
    deadline = time.monotonic() + timeout_s
    try:
        while not group.wait(min(LOOK_EVERY_S, timeout_s)):
            check_stop()
            if time.monotonic() > deadline:
                remove_placement_group(group)
                return None
    except BaseException:
        remove_placement_group(group)
        raise
    return group


def _free(bundle: dict[str, float]) -> int:
    """How many bundles there is room for at most, all nodes taken together."""
    free = ray.available_resources()
    return min(int(free.get(name, 0) // amount) for name, amount in bundle.items())


def _fewer(task: TrainTask, free: int) -> Iterator[int]:
    """Numbers of ranks that make whole pipelines, the largest first. Any of them can take the batch: it is padded."""
    for number in range(min(free, task.cluster.training_ranks - 1), least_ranks(task) - 1, -1):
        if number % task.training.pipeline_stages == 0:
            yield number
