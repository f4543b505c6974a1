"""A verdict is written down: the registry's states of a job and its attempt, with their events."""

import time
from collections.abc import Callable
from typing import Any

from seedbed.controller.attempt_watch import MAX_SEND_FAULTS, AttemptWatch
from seedbed.controller.judge import Verdict
from seedbed.controller.retries import fault_counts, what_follows
from seedbed.errors import RayUnreachable, SeedbedError, StoreError
from seedbed.failures import FailureClass, classify
from seedbed.registry.records import Attempt, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import AttemptState, Desired, JobState

ACTOR = "controller"
PRINTED_LAST = "printed_last"
"""In the details of an attempt's event: what its driver printed last, of one that did not live to report."""
MAX_PRINTED_CHARS = 8000
MAX_LINE_CHARS = 200  # of it in the event's own words
_ASKED_EVENTS = 50


class FollowUp:
    """Raises StaleState where somebody was faster."""

    def __init__(self, registry: Registry, say: Callable[[str], None]) -> None:
        self._registry, self._say = registry, say

    def note_progress(self, attempt: Attempt, watch: AttemptWatch) -> Attempt:
        """The newest heartbeat, with the attempt's number within its run as `store_attempt`."""
        look = watch.look
        if look is None or look.heartbeat is None or attempt.progress.get("sequence") == watch.sequence:
            return attempt
        progress = look.heartbeat | {"store_attempt": look.number}
        return self._registry.update_attempt(attempt, progress=progress, heard_at=look.heartbeat.get("at"))

    def go_on(self, job: Job, attempt: Attempt, verdict: Verdict, *, is_heard: bool) -> Job:
        """The job on its way: from starting to running, or to stopping."""
        to = verdict.state
        if job.desired != Desired.RUN and job.state in (JobState.STARTING, JobState.RUNNING):
            to = JobState.STOPPING
        if is_heard and attempt.state in (AttemptState.STARTING, AttemptState.LOST):
            host = attempt.progress.get("host")
            reason = f"heard from {host}" if host else "heard"
            came_back = {"failure": None, "exit_code": None, "ended_at": None}  # of one that was lost
            self._registry.update_attempt(
                attempt, actor=ACTOR, state=AttemptState.RUNNING, reason=reason, node=host, **came_back
            )
        if to == job.state:
            return job
        infrastructure, user = fault_counts(job, attempt.failure, None)
        reason = f"{self.who_asked(job)} asked to {_words(job.desired)}" if to == JobState.STOPPING else verdict.reason
        self._say(f"job {job.id} ({job.run_id}): {job.state} -> {to}: {reason}")
        return self._registry.move(
            job, to, reason=reason, actor=ACTOR, infrastructure_faults=infrastructure, user_faults=user
        )

    def end(self, job: Job, attempt: Attempt, verdict: Verdict, message: str) -> None:
        """The attempt has ended: so does the job, or it waits for its next attempt. `message` is Ray's."""
        earlier = [other for other in self._registry.attempts(job.id) if other.number < attempt.number]
        then = what_follows(job, verdict, earlier, time.time(), attempt.failure)
        self._say(f"job {job.id} ({job.run_id}): {job.state} -> {then.state}: {then.reason}")
        self._registry.end_attempt(
            job,
            attempt,
            to=then.state,
            reason=then.reason,
            actor=ACTOR,
            attempt_reason=verdict.reason,
            attempt_state=verdict.attempt_state,
            note=None if attempt.progress else _printed_last(attempt, message),
            failure=verdict.failure,
            exit_code=verdict.exit_code,
            not_before=then.not_before,
            infrastructure_faults=then.infrastructure_faults,
            user_faults=then.user_faults,
        )

    def sent(self, watch: AttemptWatch, submission_id: str, result: Any) -> None:
        """What became of giving an attempt to Ray. What cannot be repaired by trying again ends it."""
        watch.is_sent(time.time())
        if not isinstance(result, BaseException):
            watch.send_faults = 0
            return
        self._say(f"{submission_id} could not be given to Ray: {result}")
        if isinstance(result, StoreError) and not result.transient:
            watch.verdict = Verdict(JobState.FAILED, f"it could not be started: {result}", FailureClass.USER_ERROR)
        elif not isinstance(result, RayUnreachable):
            watch.send_faults += 1
            if watch.send_faults >= MAX_SEND_FAULTS:
                kind = "" if isinstance(result, SeedbedError) else f"{type(result).__name__}: "
                reason = f"Ray did not take it in {MAX_SEND_FAULTS} tries: {kind}{result}"
                watch.verdict = Verdict(JobState.FAILED, reason, classify(result))

    def who_asked(self, job: Job) -> str:
        """Who has asked for what the job is to do."""
        events = self._registry.events(f"job {job.id}", limit=_ASKED_EVENTS, newest_first=True)
        return next((event.actor for event in events if event.details.get("desired") == job.desired), job.owner)


def _printed_last(attempt: Attempt, message: str) -> tuple[str, dict[str, Any]] | None:
    """What an event tells of a driver that did not live to report; None where it printed nothing."""
    printed = [line.strip() for line in message.splitlines() if line.strip()]
    if not printed:
        return None
    more = f"seedbed logs {attempt.job_id} --attempt {attempt.number}"
    said = f"it printed last: {printed[-1][:MAX_LINE_CHARS]} (more: {more})"
    return said, {PRINTED_LAST: message[-MAX_PRINTED_CHARS:]}


def _words(desired: Desired) -> str:
    return "stop at once" if desired == Desired.STOP_NOW else "stop"
