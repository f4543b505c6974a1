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


def what_follows(
    job: Job, verdict: Verdict, earlier: Sequence[Attempt], now: float, failed_before: str | None = None
) -> Next:
    """`earlier` are the job's attempts before the one that the verdict is on; `failed_before` is the failure that this
    one counts with already: it was lost, and came back."""
    assert verdict.state in FINAL, verdict
    faults = fault_counts(job, failed_before, verdict.failure)
    if verdict.failure is None or verdict.state == JobState.STOPPED:
        return Next(verdict.state, verdict.reason, None, *faults)
    rule = RETRY_RULES[verdict.failure]
    counted = _counted(job, earlier)
    same = sum(1 for attempt in counted if attempt.failure == verdict.failure)
    why_not = _why_not(job, verdict.failure, same, counted)
    if why_not is not None:
        return Next(verdict.state, f"{verdict.reason} ({why_not})", None, *faults)
    pause = rule.pause_s(same + 1)
    reason = f"attempt {len(earlier) + 1} failed ({_words(verdict.failure)}: {verdict.reason}); the next one starts"
    reason += f" {pause:g} s after it"
    return Next(JobState.QUEUED, reason, now + pause, *faults)


def num_faults(job: Job, attempts: Sequence[Attempt], fault: Fault) -> int:
    """How many of these attempts, since a person last asked for another, have failed by this fault: what `--retries`
    are spent on."""
    return sum(1 for attempt in _counted(job, attempts) if _fault(attempt.failure) == fault)


def _counted(job: Job, attempts: Sequence[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.number >= job.summary.get(FRESH_FROM, 1)]


def fault_counts(job: Job, before: str | None, after: str | None) -> tuple[int, int]:
    """The job's faults of machines and of the run, with failure `after` of an attempt in place of `before`."""
    was, becomes = _fault(before), _fault(after)
    return (
        job.infrastructure_faults + (becomes == Fault.INFRASTRUCTURE) - (was == Fault.INFRASTRUCTURE),
        job.user_faults + (becomes == Fault.USER) - (was == Fault.USER),
    )


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
    spent = num_faults(job, counted, rule.fault)
    if spent >= job.max_retries:
        return f"{words}: --retries {job.max_retries} are used up" if job.max_retries else "--retries 0"
    return None


def _fault(failure: str | None) -> Fault:
    return Fault.NONE if failure is None else RETRY_RULES[FailureClass(failure)].fault


def _words(failure: FailureClass) -> str:
    return failure.replace("_", " ")
