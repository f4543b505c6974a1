"""Starts the ranks of a pretraining run as Ray actors, follows them, and starts the group anew when one is lost.

    train --placement--> one actor per rank --> worker.train_rank
      ^------ listener <-- channel -------------------'

Ray schedules and notices a lost process; the ranks take up the newest checkpoint of the store themselves; the driver
asks rank 0 for its metrics, so no step waits for a report. Who makes no progress for `training.hang_timeout_s` is asked
for its stacks, and the group starts anew.

Why not Ray Train (2.60): it would be given nothing but the start and the restart. For that it took 13 s to reach the
training function, where these actors take 6 s to the first step (two ranks on two cores, at each restart again); it
retries every exception, also a wrong configuration that fails again each time; its
clean-up actor polls an API that is not there without the dashboard and says so every second; and it waits for ever for
CPUs that the cluster does not have.
"""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError
from ray.util.placement_group import PlacementGroup, remove_placement_group

from dataprep.errors import SeedbedError
from jobs.ending import Stopped, StopRequested
from jobs.machine import refused
from jobs.pretrain import attempt, stacks
from jobs.pretrain.listener import Listener, OnOutput, OnProgress, Recorder
from jobs.pretrain.placement import on_bundle, place, refuse_too_small_a_cluster
from jobs.pretrain.rank import Rank
from jobs.pretrain.task import TrainResult, TrainTask
from jobs.scores import bits_per_byte, perplexity
from seedbed import faults
from seedbed.errors import GOES_ON, HangError, InfrastructureError, MemoryShortage, StoreError
from seedbed.failures import FailureClass, classify
from seedbed.layout import check_layout
from seedbed.state import StateDirectory

POLL_INTERVAL_S = 0.1  # between two looks at the ranks
LAST_WORDS_S = 3.0  # after one rank failed, for the others to say what they saw
MAX_BACK_OFF_S = 60.0  # between restarts; they wait 1, 2, 4, ... seconds
NETWORK_FAULTS = ("onnection", "imed out", "Broken pipe", "No route to host", "Network is unreachable", "DistNetwork")
"""What the messages of gloo, NCCL and torch's rendezvous say when a peer or the way to it is gone."""


def train(
    task: TrainTask,
    on_progress: OnProgress,
    stop_requested: StopRequested = lambda: None,
    on_output: OnOutput = lambda number, data: None,
) -> TrainResult:
    """Train to the end, from the newest checkpoint where there is one. Ray must have been started by the caller.

    `on_progress` gets, in this thread, the metrics of each step that this call takes, once, and each event
    (`{"event": ...}`); what a restart takes again is the event `taken_again`. `stop_requested` is asked some times a
    second; when it gives a reason (a sentence's beginning, `SIGTERM was received`), all ranks end after the step under
    way and its checkpoint, and this raises Stopped. `on_output` gets what the ranks print.
    A lost or hanging rank or an unreachable store restarts the group, `max_restarts` times; then InfrastructureError
    or StoreError.
    What would only fail again is raised at once, with the rank's message: RunFileError, CheckpointError,
    CorruptDataError, TrainingDiverged, Superseded.
    """
    check_layout(task.model, task.training, task.cluster)
    refuse_too_small_a_cluster(task.cluster)
    recorder = Recorder(task, on_progress)
    for restarts in range(task.training.max_restarts + 1):
        end = _run_group(task, recorder, stop_requested, on_output)
        if not end.failures:
            return _finished(task, recorder, end.step, restarts, stop_requested)
        error = _first_cause(end.failures)
        if not _may_pass(error):
            raise error
        _check_stop(stop_requested, f"before it could, this happened: {error}")
        if restarts < task.training.max_restarts:
            recorder.event({"event": "restart", "number": restarts + 1, "reason": str(error)})
            _back_off(restarts, stop_requested)
    again = f"given up after {task.training.max_restarts} restarts (training.max_restarts); run it again to go on"
    given_up = type(error)(f"{error}; {again}")
    vars(given_up).update(vars(error))
    raise given_up from error


@dataclass
class _End:
    """How one start of the group ended."""

    failures: dict[int, Exception] = field(default_factory=dict)  # by rank; empty when all came to their end
    step: int = 0  # that all have reached


def _finished(
    task: TrainTask, recorder: Recorder, step: int, restarts: int, stop_requested: StopRequested
) -> TrainResult:
    if step < task.training.num_steps:
        where = f"at its checkpoint of step {step:,}" if step else "before its first step"
        raise Stopped(f"{stop_requested()}: training has stopped {where}; {GOES_ON} with step {step + 1:,}")
    return _result(task, recorder.records(), restarts)


def _check_stop(stop_requested: StopRequested, what: str) -> None:
    """Raises Stopped where there is a reason to, while no rank is in a step."""
    reason = stop_requested()
    if reason is not None:
        raise Stopped(f"{reason}: {what}; {GOES_ON} from the newest checkpoint")


def _back_off(restarts: int, stop_requested: StopRequested) -> None:
    until = time.monotonic() + min(2.0**restarts, MAX_BACK_OFF_S)
    while time.monotonic() < until:
        _check_stop(stop_requested, "training has stopped before a restart")
        time.sleep(POLL_INTERVAL_S)


def _run_group(task: TrainTask, recorder: Recorder, stop_requested: StopRequested, on_output: OnOutput) -> _End:
    """Start all ranks and wait for them."""

    def check_stop() -> None:
        _check_stop(stop_requested, "training has stopped before its ranks had room")

    try:
        group, num_ranks = place(task.cluster, task.training.pipeline_stages, recorder.event, check_stop)
    except InfrastructureError as error:
        return _End({0: error})
    try:
        return _Group(task, group, num_ranks, recorder, stop_requested, on_output).run()
    except StoreError as error:  # it did not take this start's token
        return _End({0: error})
    finally:
        remove_placement_group(group)  # ends its actors too


class _Group:
    """One start of all ranks."""

    def __init__(
        self,
        task: TrainTask,
        group: PlacementGroup,
        num_ranks: int,
        recorder: Recorder,
        stop_requested: StopRequested,
        on_output: OnOutput,
    ) -> None:
        fault = {name: os.environ[name] for name in (faults.FAULT, faults.ONCE) if name in os.environ}
        token = attempt.begin(task)
        self._task, self._recorder, self._stop_requested = task, recorder, stop_requested
        remote: Any = ray.remote  # its types leave out the groups
        actor = remote(concurrency_groups={"channel": 1})(Rank)
        self._ranks = [
            on_bundle(actor, group, task.cluster, number).remote(task, token, number, num_ranks, fault)
            for number in range(num_ranks)
        ]
        self._listener = Listener(self._ranks, recorder, on_output=on_output)
        self._processes: list[stacks.Process] = []

    def run(self) -> _End:
        prepared, failures = self._wait([rank.prepare.remote() for rank in self._ranks])
        if failures:
            return _End(failures)
        self._processes = list(prepared.values())
        self._recorder.event({"event": "placed", "nodes": [process.node_id for process in self._processes]})
        addresses, failures = self._wait([self._ranks[0].address.remote()])
        if failures:
            return _End(failures)
        reached, failures = self._wait([rank.run.remote(addresses[0]) for rank in self._ranks])
        self._listener.last_words(of_all=not failures)
        if failures:
            self._listener.last_output(self._processes)
        return _End(failures, min(reached.values(), default=0))

    def _wait(self, calls: Sequence[Any]) -> tuple[dict[int, Any], dict[int, Exception]]:
        """The answers to one call of each rank, and the failures, both by rank. It waits for no others once one has
        failed, but for what they have to say of it."""
        number_of = {call: number for number, call in enumerate(calls)}
        waiting, until = list(calls), math.inf
        answers: dict[int, Any] = {}
        failures: dict[int, Exception] = {}
        for number in number_of.values():
            self._listener.begins(number)
        while waiting and time.monotonic() < until:
            done, waiting = ray.wait(waiting, timeout=POLL_INTERVAL_S)
            self._listener.look(self._stop_requested())
            for call in done:
                self._listener.ends(number_of[call])
                try:
                    answers[number_of[call]] = ray.get(call)
                except RayError as error:
                    failures[number_of[call]] = error
                    until = min(until, time.monotonic() + LAST_WORDS_S)
            idle_s, doing = self._listener.idle()
            if idle_s > self._task.training.hang_timeout_s and not failures:
                return answers, {number_of[waiting[0]]: self._hang(idle_s, doing)}
        return answers, failures

    def _hang(self, idle_s: float, doing: dict[int, str]) -> InfrastructureError:
        """Write the stacks of all ranks into the state directory; what to tell."""
        found = stacks.collect(self._processes)
        places = {process.number: f"process {process.pid} on {process.node_address}" for process in self._processes}
        text = "\n".join(
            f"rank {number}, {places.get(number, 'not there yet')}, last heard of at {at}\n"
            f"{found.get(number, 'no stacks')}"
            for number, at in doing.items()
        )
        name = f"{self._task.fingerprint}-{time.strftime('%Y%m%dT%H%M%S')}.stacks"
        path = StateDirectory(self._task.state_dir).write(f"logs/{name}", text)
        last = ", ".join(sorted(set(doing.values())))
        self._recorder.event({"event": "hang", "idle_s": round(idle_s, 1), "at": last, "stacks": str(path)})
        return HangError(
            f"no progress for {idle_s:.0f} s (training.hang_timeout_s), last heard of at {last}; the stacks of all"
            f" ranks are in {path}"
        )


def _first_cause(failures: dict[int, Exception]) -> SeedbedError:
    """The failure that the others follow from, as one of ours.

    A rank whose peer is gone fails with a broken connection; so a rank that says anything else, or died, comes first.
    """

    def order(item: tuple[int, Exception]) -> tuple[int, int]:
        number, error = item
        if isinstance(error, SeedbedError) or isinstance(getattr(error, "cause", None), SeedbedError):
            return 0, number
        return (1 if isinstance(error, RayActorError) else 3 if _is_of_the_network(error) else 2), number

    number, error = min(failures.items(), key=order)
    cause = getattr(error, "cause", None) or error
    if cause is error and isinstance(cause, SeedbedError):
        return cause  # the driver's own
    if isinstance(cause, SeedbedError):
        named = type(cause)(f"rank {number}: {cause}")
        vars(named).update(vars(cause))  # whether a store's fault is transient
        return named
    if isinstance(cause, RayActorError):
        lost = InfrastructureError(f"rank {number}: its process was lost (killed, out of memory, or its node is gone)")
        if classify((None, str(cause))) is FailureClass.OUT_OF_MEMORY:
            lost.failure = FailureClass.OUT_OF_MEMORY
        return lost
    lines = str(cause).strip().splitlines() or [""]
    said = f"rank {number}: {refused(cause) or f'{type(cause).__name__}: {lines[0]}'}"
    if classify(cause) is FailureClass.OUT_OF_MEMORY:
        return MemoryShortage(f"{said}; take a smaller training.micro_batch_sequences; `seedbed plan` says what fits")
    return InfrastructureError(said) if _is_of_the_network(error) else SeedbedError(said)


def _is_of_the_network(error: Exception) -> bool:
    return any(words in str(error) for words in NETWORK_FAULTS)


def _may_pass(error: SeedbedError) -> bool:
    """Whether another start may do better: after a lost process, connection or store; all else would fail again."""
    return isinstance(error, InfrastructureError) or error.transient


def _result(task: TrainTask, records: list[dict[str, Any]], restarts: int) -> TrainResult:
    loss, tokens = records[-1]["validation_loss"], records[-1]["tokens"]
    seconds = sum(record["seconds"] for record in records)
    return TrainResult(
        steps=records[-1]["step"],
        loss_first=records[0]["loss"],
        loss_last=records[-1]["loss"],
        validation_loss=loss,
        perplexity=perplexity(loss),
        bits_per_byte=bits_per_byte(loss, task.validation_tokens, task.validation_bytes),
        tokens=tokens,
        seconds=seconds,
        tokens_per_second=tokens / seconds,
        restarts=restarts,
    )
