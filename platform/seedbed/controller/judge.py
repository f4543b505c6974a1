"""What became of an attempt, by all that is known of it. Pure.

The attempt's own last word (`end.json`) counts most, then what Ray says together with what the store holds. One probe
that failed says nothing: Ray must have answered some times, over some seconds, that it does not know the attempt, and
the attempt must be silent, before it is lost; and a cluster that does not answer changes nothing at all.
"""

import signal
from dataclasses import dataclass, replace
from typing import Any

from seedbed import runs
from seedbed.failures import RETRY_RULES, FailureClass, Fault, classify
from seedbed.registry.states import AttemptState, Desired, JobState

LOST_PROBES, LOST_AFTER_S = 3, 10.0
"""So often, and for so long, Ray must say that it does not know an attempt."""
SILENT_AFTER_S = 20.0
"""Without a new heartbeat, of which there is one each 5 s (10 s on object stores), nobody is at it any more."""
SILENT_AFTER_REMOTE_S = 45.0
START_WITHIN_S = 600.0
"""Ray forgot an attempt that never reported: it is sent again until then."""

PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED = "PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"
ENDED = (STOPPED, SUCCEEDED, FAILED)
"""Ray's states of a job."""
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""A driver's exit code after SIGKILL, as Python and as a shell says it."""


@dataclass(frozen=True)
class RayWord:
    """What Ray says of an attempt that it knows."""

    status: str
    message: str = ""
    exit_code: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a job's newest attempt."""

    ray_answers: bool
    ray: RayWord | None = None  # None: Ray does not know it, or does not answer
    unknown_probes: int = 0  # answers in a row that Ray does not know it
    unknown_s: float = 0.0  # since the first of them
    is_heard: bool = False  # there was ever a heartbeat of it
    silent_s: float = 0.0  # since its newest heartbeat was new
    silent_after_s: float = SILENT_AFTER_S
    end: dict[str, Any] | None = None  # its last word
    is_store_read: bool = False  # after Ray's answer, with the next two
    run_state: str | None = None  # of the run's record
    is_complete: bool = False  # the manifest of the last step that was asked for is committed
    is_partial: bool = False  # that step is not the last of the run
    damage: str | None = None  # why the store cannot tell these
    age_s: float = 0.0  # since it was begun
    asked_by: str = ""  # who wants it to stop, where somebody does


@dataclass(frozen=True)
class Verdict:
    """The job's state as it should be, before anybody asks whether it is tried again."""

    state: JobState
    reason: str = ""
    failure: FailureClass | None = None
    exit_code: int | None = None
    send_again: bool = False  # Ray never got it, or forgot it before it began

    @property
    def attempt_state(self) -> AttemptState:
        return AttemptState.LOST if self.state == JobState.LOST else AttemptState.ENDED


def judge(state: JobState, desired: Desired, facts: Facts) -> Verdict:
    """The verdict on a job that is starting, running, stopping or lost; with `state` while nothing is decided."""
    verdict = _verdict(state, desired, facts)
    if verdict.failure is not None and facts.end is None and facts.damage is not None:
        verdict = replace(verdict, reason=f"{verdict.reason}; {facts.damage}")
    if verdict.state == JobState.STOPPED and desired == Desired.STOP_NOW and verdict.failure is None:
        return replace(verdict, reason=_asked(desired, facts))
    return verdict


def _verdict(state: JobState, desired: Desired, facts: Facts) -> Verdict:
    if facts.end is not None:
        return _by_its_own_word(facts.end, desired, facts)
    lives = facts.is_heard and facts.silent_s < facts.silent_after_s
    stays = Verdict(state)
    if facts.ray is None:
        if lives:
            return _alive(state, desired)
        if not facts.ray_answers or facts.unknown_probes < LOST_PROBES or facts.unknown_s < LOST_AFTER_S:
            return stays
        return _unknown_to_ray(stays, desired, facts)
    if facts.ray.status in ENDED:
        return _by_rays_word(stays, desired, facts, facts.ray)
    if facts.ray.status == RUNNING and facts.is_heard:
        return _alive(state, desired)
    return stays


def _alive(state: JobState, desired: Desired) -> Verdict:
    if state == JobState.LOST:
        return Verdict(JobState.RUNNING, "it is heard again")
    return Verdict(JobState.RUNNING, "its driver reports") if desired == Desired.RUN else Verdict(JobState.STOPPING)


def _by_its_own_word(end: dict[str, Any], desired: Desired, facts: Facts) -> Verdict:
    said, code = end.get("state"), end.get("exit_code")
    reason = str(end.get("reason") or "")
    if said == runs.FINISHED:
        return Verdict(JobState.FINISHED, "all of its steps are done", exit_code=code)
    failure = None if end.get("failure") is None else _class(str(end["failure"]))
    if said == runs.STOPPED:
        return Verdict(JobState.STOPPED, reason or "the step after which it was to stop is done", failure, code)
    if failure is None:
        failure = FailureClass.PREEMPTED if said == runs.INTERRUPTED else FailureClass.UNKNOWN
    return _failed(Verdict(JobState.FAILED, reason, failure, code), desired, facts)


def _class(name: str) -> FailureClass:
    try:
        return FailureClass(name)
    except ValueError:  # a newer Seedbed's bundle
        return FailureClass.UNKNOWN


def _failed(verdict: Verdict, desired: Desired, facts: Facts) -> Verdict:
    """Who wanted it to stop has what he wanted, and nothing failed, unless the run itself is at fault."""
    assert verdict.failure is not None, verdict
    if desired == Desired.RUN or RETRY_RULES[verdict.failure].fault == Fault.USER:
        return verdict
    reason = f"{_asked(desired, facts)}; its last attempt ended so: {verdict.reason}"
    return Verdict(JobState.STOPPED, reason, None, verdict.exit_code)


def _asked(desired: Desired, facts: Facts) -> str:
    at_once = " at once" if desired == Desired.STOP_NOW else ""
    return f"stopped{at_once} by {facts.asked_by or 'its owner'}"


def _unknown_to_ray(stays: Verdict, desired: Desired, facts: Facts) -> Verdict:
    if not facts.is_store_read:
        return stays
    if facts.is_complete:
        return _complete(facts, None)
    if not facts.is_heard and facts.age_s < START_WITHIN_S:
        if desired != Desired.RUN:
            return Verdict(JobState.STOPPED, "stopped before it began")
        return Verdict(stays.state, send_again=True)
    heard = "its driver has been silent since" if facts.is_heard else "its driver never reported"
    reason = f"Ray does not know it any more, and {heard}: its head was started anew, or the cluster was taken down"
    return _failed(Verdict(JobState.LOST, reason, FailureClass.NODE_LOST), desired, facts)


def _by_rays_word(stays: Verdict, desired: Desired, facts: Facts, ray: RayWord) -> Verdict:
    """Its process has ended and left no word of its own."""
    if not facts.is_store_read:
        return stays
    if facts.is_complete:
        return _complete(facts, ray.exit_code)
    if facts.run_state == runs.STOPPED and ray.status == SUCCEEDED:
        return Verdict(JobState.STOPPED, "it was asked to stop", exit_code=ray.exit_code)
    if ray.status == SUCCEEDED:
        reason = "Ray says that it left with 0, but the store has no result of its last step"
        return _failed(Verdict(JobState.FAILED, reason, FailureClass.UNKNOWN, ray.exit_code), desired, facts)
    said = in_short(ray.message)
    if ray.status == STOPPED:
        reason = f"it was stopped in Ray itself, and left no word: {said}"
        return _failed(Verdict(JobState.FAILED, reason, FailureClass.PREEMPTED, ray.exit_code), desired, facts)
    failure = classify((ray.exit_code or None, ray.message))
    reason = f"its driver ended without a word: {said}"
    if failure == FailureClass.UNKNOWN and ray.exit_code in KILLED:
        reason += "; SIGKILL comes from a person, or from the kernel where memory is short (its log tells: dmesg)"
    return _failed(Verdict(JobState.FAILED, reason, failure, ray.exit_code), desired, facts)


def in_short(message: str) -> str:
    """Of Ray's message, which ends with what the driver printed: the head, and the last line that says an error.

    Of a driver that a signal has ended the last line says nothing.
    """
    head, *printed = [line.strip() for line in message.splitlines() if line.strip()] or [""]
    head = head.partition(", last available logs")[0]
    errors = [line for line in printed if line.startswith("error: ")]
    if not errors and "exit code -" not in head:
        errors = printed
    return head + (f": {errors[-1]}" if errors else "")


def _complete(facts: Facts, code: int | None) -> Verdict:
    if facts.is_partial:
        return Verdict(JobState.STOPPED, "the step after which it was to stop is committed", exit_code=code)
    return Verdict(JobState.FINISHED, "its last step is committed; its driver left no word", exit_code=code)
