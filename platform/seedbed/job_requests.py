"""What a person asks of a job that is there: stop, retry, resume."""

from seedbed import reports
from seedbed.controller.retries import FRESH_FROM
from seedbed.errors import StaleState, StoreError, UsageError
from seedbed.failures import FailureClass
from seedbed.registry.records import Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import Desired, JobState
from seedbed.store import Store

_TRIES = 5
"""Against a controller that moves the job in the same moment."""


def stop(registry: Registry, job: Job, *, now: bool, actor: str) -> tuple[Job, str | None]:
    """The job, asked to stop: at a checkpoint, or now. In the queue it is stopped at once. Beside it, what to tell of a
    store that did not take the request: the controller tries again. Raises UsageError where the job is over."""
    job = ask_to_stop(registry, job, now=now, actor=actor)
    if job.is_final:
        return job, None
    try:
        pass_on(Store(job.store_url), job, actor)
    except StoreError as error:
        return job, f"the store does not take the request yet ({error}): the controller passes it on"
    return job, None


def pass_on(store: Store, job: Job, actor: str) -> None:
    """Leave what was asked of the job where its driver looks; the controller does so too. Raises StoreError."""
    reports.ask(store, job.run_id, job.desired, actor, job=job.id)


def ask_to_stop(registry: Registry, job: Job, *, now: bool, actor: str) -> Job:
    """As `stop`, in the registry alone."""
    desired = Desired.STOP_NOW if now else Desired.STOP
    how = "now" if now else "at a checkpoint"
    for _ in range(_TRIES):
        if job.state != JobState.QUEUED:
            break
        reason = f"{actor} stopped it in the queue"
        try:
            return registry.move(job, JobState.STOPPED, reason=reason, actor=actor, desired=desired)
        except StaleState:
            job = registry.job(job.id)
    return registry.ask(job, desired, reason=f"{actor} asked to stop it {how}", actor=actor)


def retry(registry: Registry, job: Job, *, actor: str) -> Job:
    """The same job again, from what is done: one that failed or was lost, or that waits for its next try. Raises
    UsageError for others."""
    if job.state == JobState.QUEUED and job.not_before is not None:
        return registry.hurry(job, reason=f"{actor} asked to try again without waiting", actor=actor)
    if job.state == JobState.STOPPED:
        raise UsageError(f"job {job.id} was stopped, not failed: `seedbed resume {job.id}` goes on")
    if job.state == JobState.STOPPING:
        raise UsageError(f"job {job.id} is being stopped, not failed: once it is, `seedbed resume {job.id}` goes on")
    if job.state not in (JobState.FAILED, JobState.LOST):
        raise UsageError(f"job {job.id} is {job.state}; what can be retried has failed or is lost")
    return _again(registry, job, f"{actor} asked to try again", actor)


def resume(registry: Registry, job: Job, *, actor: str) -> Job:
    """A job that was stopped goes on from its newest checkpoint. Raises UsageError for others, and where the same job
    would stop at the same place."""
    if job.state != JobState.STOPPED:
        cure = f": seedbed retry {job.id}" if job.state in (JobState.FAILED, JobState.LOST) else ""
        raise UsageError(f"job {job.id} is {job.state}; what can be resumed is stopped{cure}")
    last = next(iter(reversed(registry.attempts(job.id))), None)
    if last is not None and last.failure == FailureClass.BUDGET:
        raise UsageError(
            f"job {job.id} was stopped by its budget: {last.reason}; submit the run with a higher limit, or with"
            ' --over-budget "reason", and it goes on from its checkpoint'
        )
    if last is not None and job.until is not None and job.desired == Desired.RUN:
        raise UsageError(f"job {job.id} is done up to {job.until}, as asked: submit the run without --until to go on")
    return _again(registry, job, f"{actor} resumed it", actor)


def _again(registry: Registry, job: Job, reason: str, actor: str) -> Job:
    fresh = {FRESH_FROM: len(registry.attempts(job.id)) + 1}
    return registry.move(
        job,
        JobState.QUEUED,
        reason=reason,
        actor=actor,
        desired=Desired.RUN,
        not_before=None,
        summary=job.summary | fresh,
    )
