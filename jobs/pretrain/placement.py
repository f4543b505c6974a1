"""Room for the ranks of a group: all of them, or where there is none, as many as fit."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from seedbed.errors import InfrastructureError, UsageError
from seedbed.runfile.cluster import ClusterConfig

LOOK_EVERY_S = 0.5
FEWER_TIMEOUT_S = 5.0  # for a number of ranks that fits by what is free

OnEvent = Callable[[dict[str, Any]], None]


def place(
    cluster: ClusterConfig, pipeline_stages: int, on_event: OnEvent, check_stop: Callable[[], None]
) -> tuple[PlacementGroup, int]:
    """A placement group with one bundle a rank, and how many ranks: `cluster.training_ranks`, or after
    `cluster.placement_timeout_s` without room the largest number down to `cluster.min_training_ranks` that there is
    room for. `check_stop` is called while it waits, and may raise. The caller removes the group.

    Raises InfrastructureError where there is no room.
    """
    bundle = bundle_of(cluster)
    group = _placed(bundle, cluster.training_ranks, cluster.placement_timeout_s, check_stop)
    if group is not None:
        return group, cluster.training_ranks
    free = _free(bundle)
    for number in _fewer(cluster, pipeline_stages, free):
        group = _placed(bundle, number, FEWER_TIMEOUT_S, check_stop)
        if group is not None:
            why = f"no room for {cluster.training_ranks} ranks within {cluster.placement_timeout_s:g} s"
            on_event({"event": "fewer_ranks", "num_ranks": number, "reason": why})
            return group, number
    raise InfrastructureError(
        f"no room for {least_ranks(cluster)} ranks of {bundle} within {cluster.placement_timeout_s:g} s"
        f" (cluster.placement_timeout_s): what is free takes {free}; wait, or end other jobs"
    )


def refuse_too_small_a_cluster(cluster: ClusterConfig) -> None:
    """Raises UsageError where the whole cluster, were nothing else on it, is too small for the fewest ranks."""
    least, resources = least_ranks(cluster), ray.cluster_resources()
    key = "training_ranks" if cluster.min_training_ranks is None else "min_training_ranks"
    for name, amount in bundle_of(cluster).items():
        found = int(resources.get(name, 0))
        if least * amount > found:
            each = f"{amount:g} threads" if name == "CPU" else f"{amount:g} {name}"
            arithmetic = f"{least} ranks x {each} = {least * amount:g} {name}s"
            cure = "take fewer" if found else "take cluster.device: cpu"
            raise UsageError(f"cluster.{key}: {arithmetic}, but the cluster has {found}; {cure}")


def least_ranks(cluster: ClusterConfig) -> int:
    return cluster.min_training_ranks or cluster.training_ranks


def bundle_of(cluster: ClusterConfig) -> dict[str, float]:
    """What one rank takes."""
    bundle: dict[str, float] = {"CPU": cluster.threads_per_rank}
    if cluster.device == "cuda":
        bundle["GPU"] = 1
    return bundle


def on_bundle(actor: Any, group: PlacementGroup, cluster: ClusterConfig, number: int) -> Any:
    """The remote class `actor`, to be started as rank `number` of the group."""
    bundle = bundle_of(cluster)
    return actor.options(
        num_cpus=bundle["CPU"],
        num_gpus=bundle.get("GPU", 0),
        scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number),
    )


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


def _fewer(cluster: ClusterConfig, pipeline_stages: int, free: int) -> Iterator[int]:
    """Numbers of ranks that make whole pipelines, the largest first. Any of them can take the batch: it is padded."""
    for number in range(min(free, cluster.training_ranks - 1), least_ranks(cluster) - 1, -1):
        if number % pipeline_stages == 0:
            yield number
