"""Starts the ranks of a pretraining run as Ray actors, follows them, and starts the group anew when one is lost.

    train --placement group--> one actor per rank --> worker.train_rank
      ^------ spool in the state directory ----------------'

Ray schedules and notices a lost process; the ranks take up the newest checkpoint of the store themselves; the driver
reads metrics from the spool, so no step waits for a report.

Why not Ray Train (2.60): it would be given nothing but the start and the restart. For that it took 13 s to reach the
training function, where these actors take 6 s to the first step (two ranks on two cores, at each restart again); it
retries every exception, also a wrong configuration that fails again each time; its
clean-up actor polls an API that is not there without the dashboard and says so every second; and it waits for ever for
CPUs that the cluster does not have.
"""

import math
import os
import time
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from dataprep.errors import SeedbedError
from dataprep.token_stream import TokenStream
from jobs.machine import refused
from jobs.pretrain import attempt, spool
from jobs.pretrain.rank import Rank
from jobs.pretrain.shards import fetch_shards, local_shard
from jobs.pretrain.task import TrainResult, TrainTask
from jobs.scores import bits_per_byte, perplexity
from seedbed import faults
from seedbed.errors import InfrastructureError, UsageError
from seedbed.layout import check_layout

POLL_INTERVAL_S = 0.2  # between two looks at the spool
PLACEMENT_TIMEOUT_S = 120.0  # for the cluster to find room for all ranks at once
LAST_WORDS_S = 3.0  # after one rank failed, for the others to say what they saw
MAX_BACK_OFF_S = 60.0  # between restarts; they wait 1, 2, 4, ... seconds

OnProgress = Callable[[dict[str, Any]], None]


def train(task: TrainTask, on_progress: OnProgress) -> TrainResult:
    """Train to the end, from the newest checkpoint where there is one. Ray must have been started by the caller.

    `on_progress` gets, in this thread, the metrics of each step that this call takes, once, and each event
    (`{"event": ...}`).
    A lost rank or an unreachable store restarts the group, `max_restarts` times; then InfrastructureError or
    StoreError.
    What would only fail again is raised at once, with the rank's message: RunFileError, CheckpointError,
    CorruptDataError, TrainingDiverged, Superseded.
    """
    check_layout(task.model, task.training, task.cluster)
    _refuse_too_small_a_cluster(task)
    fetch_shards(task)
    follower = _Follower(task, on_progress)
    for restarts in range(task.training.max_restarts + 1):
        failures = _run_group(task, follower)
        if not failures:
            return _result(task, restarts)
        error = _first_cause(failures)
        if not _may_pass(error):
            raise error
        if restarts < task.training.max_restarts:
            on_progress({"event": "restart", "time": time.time(), "number": restarts + 1, "reason": str(error)})
            time.sleep(min(2.0**restarts, MAX_BACK_OFF_S))
    again = f"given up after {task.training.max_restarts} restarts (training.max_restarts); run it again to go on"
    raise type(error)(f"{error}; {again}") from error


class _Follower:
    """Hands what is new in the spool to the caller."""

    def __init__(self, task: TrainTask, on_progress: OnProgress) -> None:
        self._metrics = spool.Follower(spool.metrics_path(task.state_dir, task.fingerprint))
        self._events = spool.Follower(spool.events_path(task.state_dir, task.fingerprint), from_end=True)
        self._on_progress = on_progress
        self._last_step: int | None = None  # not known before a checkpoint was taken up

    def look(self) -> None:
        for event in self._events.new():
            if event["event"] == "taken_up" and self._last_step is None:
                self._last_step = event["step"]  # what an earlier call told is not told again
            self._on_progress(event)
        if self._last_step is None:
            return
        for record in self._metrics.new():
            if record["step"] > self._last_step:  # steps taken again after a restart were told before
                self._last_step = record["step"]
                self._on_progress(record)


def _run_group(task: TrainTask, follower: _Follower) -> dict[int, Exception]:
    """Start all ranks and wait for them. What each failed one failed with; empty when all got to the end."""
    bundle: dict[str, float] = {"CPU": task.cluster.threads_per_rank}
    if task.cluster.device == "cuda":
        bundle["GPU"] = 1
    group = placement_group([bundle] * task.cluster.training_ranks, strategy="PACK")
    try:
        if not group.wait(PLACEMENT_TIMEOUT_S):
            found = ray.available_resources()
            raise InfrastructureError(
                f"no room for {task.cluster.training_ranks} ranks of {bundle} within {PLACEMENT_TIMEOUT_S:.0f} s:"
                f" free are {found.get('CPU', 0):g} CPUs and {found.get('GPU', 0):g} GPUs; wait, or end other jobs"
            )
        return _follow_group(task, group, follower)
    finally:
        remove_placement_group(group)  # ends its actors too


def _follow_group(task: TrainTask, group: PlacementGroup, follower: _Follower) -> dict[int, Exception]:
    fault = {name: os.environ[name] for name in (faults.FAULT, faults.ONCE) if name in os.environ}
    token = attempt.begin(task)
    numbers = range(task.cluster.training_ranks)
    ranks = [_actor(task, group, number).remote(task, token, number, fault) for number in numbers]
    failures: dict[int, Exception] = {}
    until = math.inf
    try:
        address = ray.get(ranks[0].address.remote())
    except (RayTaskError, RayActorError) as error:
        return {0: error}
    number_of = {rank.run.remote(address): number for number, rank in enumerate(ranks)}
    waiting = list(number_of)
    while waiting and time.monotonic() < until:
        done, waiting = ray.wait(waiting, timeout=POLL_INTERVAL_S)
        follower.look()
        for reference in done:
            try:
                ray.get(reference)
            except (RayTaskError, RayActorError) as error:
                failures[number_of[reference]] = error
                until = min(until, time.monotonic() + LAST_WORDS_S)
    return failures


def _actor(task: TrainTask, group: PlacementGroup, number: int) -> Any:
    return ray.remote(Rank).options(
        num_cpus=task.cluster.threads_per_rank,
        num_gpus=1 if task.cluster.device == "cuda" else 0,
        scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number),
    )


def _first_cause(failures: dict[int, Exception]) -> SeedbedError:
    """The failure that the others follow from, as one of ours.

    A rank whose peer is gone fails with a broken connection; so a rank that says anything else, or died, comes first.
    """

    def order(item: tuple[int, Exception]) -> tuple[int, int]:
        number, error = item
        cause = getattr(error, "cause", None)
        if isinstance(cause, SeedbedError):
            return 0, number
        return (1 if isinstance(error, RayActorError) else 2 if "onnection" not in str(error) else 3), number

    number, error = min(failures.items(), key=order)
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, SeedbedError):
        named = type(cause)(f"rank {number}: {cause}")
        vars(named).update(vars(cause))  # whether a store's fault is transient
        return named
    if isinstance(cause, RayActorError):
        return InfrastructureError(f"rank {number}: its process was lost (killed, out of memory, or its node is gone)")
    lines = str(cause).strip().splitlines() or [""]
    said = f"rank {number}: {refused(cause) or f'{type(cause).__name__}: {lines[0]}'}"
    return InfrastructureError(said) if "onnection" in str(error) else SeedbedError(said)


def _may_pass(error: SeedbedError) -> bool:
    """Whether another start may do better: after a lost process, connection or store; all else would fail again."""
    return isinstance(error, InfrastructureError) or error.transient


def _refuse_too_small_a_cluster(task: TrainTask) -> None:
    cluster = task.cluster
    needed, found = cluster.training_ranks * cluster.threads_per_rank, int(ray.cluster_resources().get("CPU", 0))
    if needed > found:
        arithmetic = f"{cluster.training_ranks} ranks x {cluster.threads_per_rank} threads = {needed} CPUs"
        raise UsageError(f"cluster.training_ranks: {arithmetic}, but the cluster has {found}; take fewer")


def _result(task: TrainTask, restarts: int) -> TrainResult:
    records = spool.read(spool.metrics_path(task.state_dir, task.fingerprint))
    validation = TokenStream([local_shard(task, path) for path in task.validation_shards])
    loss, tokens = records[-1]["validation_loss"], records[-1]["tokens"]
    seconds = sum(record["seconds"] for record in records)
    return TrainResult(
        steps=records[-1]["step"],
        loss_first=records[0]["loss"],
        loss_last=records[-1]["loss"],
        validation_loss=loss,
        perplexity=perplexity(loss),
        bits_per_byte=bits_per_byte(loss, validation.num_tokens, task.validation_bytes),
        tokens=tokens,
        seconds=seconds,
        tokens_per_second=tokens / seconds,
        restarts=restarts,
    )
