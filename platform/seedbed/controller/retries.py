"""What follows a failed attempt: the next one, after a pause, or the end. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.controller.judge import Verdict
from seedbed.failures import RETRY_RULES, FailureClass, Fault
from seedbed.registry.records import Attempt, Job
from seedbed.registry.states import FINAL, Desired, JobState

FRESH_FROM = "retries_from_attempt"
"""In a job's summary: attempts before this one do not count, as a person has asked to try again since."""


@dataclass(frozen=True)
class Next:
    """The job after an attempt's end."""

    state: JobState
    reason: str
    not_before: float | None
    infrastructure_faults: int
    user_faults: int


def what_follows(job: Job, verdict: Verdict, earlier: Sequence[Attempt], now: float) -> Next:
    """`earlier` are the job's attempts before the one that the verdict is on."""
    assert verdict.state in FINAL, verdict
    faults = job.infrastructure_faults, job.user_faults
    if verdict.failure is None or verdict.state == JobState.STOPPED:
        return Next(verdict.state, verdict.reason, None, *faults)
    rule = RETRY_RULES[verdict.failure]
    infrastructure = faults[0] + (rule.fault == Fault.INFRASTRUCTURE)
    user = faults[1] + (rule.fault == Fault.USER)
    counted = [attempt for attempt in earlier if attempt.number >= job.summary.get(FRESH_FROM, 1)]
    same = sum(1 for attempt in counted if attempt.failure == verdict.failure)
    why_not = _why_not(job, verdict.failure, same, counted)
    if why_not is not None:
        return Next(verdict.state, f"{verdict.reason} ({why_not})", None, infrastructure, user)
    pause = rule.pause_s(same + 1)
    reason = f"attempt {len(earlier) + 1} failed ({_words(verdict.failure)}: {verdict.reason}); the next one starts"
    reason += f" {pause:g} s after it"
    return Next(JobState.QUEUED, reason, now + pause, infrastructure, user)


def _why_not(job: Job, failure: FailureClass, same: int, counted: Sequence[Attempt]) -> str | None:
    rule = RETRY_RULES[failure]
    words = _words(failure)
    if rule.max_retries == 0:
        return f"{words}: not tried again by itself"
    if job.desired != Desired.RUN:
        return f"{words}: not tried again, as it was asked to stop"
    if rule.max_retries is not None and same >= rule.max_retries:
        times = "once" if rule.max_retries == 1 else f"{rule.max_retries} times"
        return f"{words}: tried again {times} already"
    if rule.fault == Fault.NONE:
        return None
    spent = sum(1 for attempt in counted if _fault(attempt) == rule.fault)
    if spent >= job.max_retries:
        return f"{words}: --retries {job.max_retries} are used up" if job.max_retries else "--retries 0"
    return None


def _fault(attempt: Attempt) -> Fault:
    return Fault.NONE if attempt.failure is None else RETRY_RULES[FailureClass(attempt.failure)].fault


def _words(failure: FailureClass) -> str:
    return failure.replace("_", " ")
