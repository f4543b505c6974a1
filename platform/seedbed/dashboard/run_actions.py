"""What a person may ask of a run or job now: each leads to a page that asks once more."""

from dataclasses import dataclass

from seedbed.dashboard.page import link
from seedbed.dashboard.rows import Row, run_href
from seedbed.registry.records import Job
from seedbed.registry.states import Desired, JobState

STOP, STOP_NOW, RETRY, RESUME = "stop", "stop-now", "retry", "resume"


@dataclass(frozen=True)
class Action:
    """A link to where it is asked."""

    name: str
    href: str


_NAMES = {STOP: "Stop", STOP_NOW: "Stop now", RETRY: "Retry", RESUME: "Resume"}


def actions(row: Row) -> list[Action]:
    """Of a run that nobody submitted, only to stop it: it is started where `seedbed run` is typed."""
    if row.job is not None and (row.run is None or not row.is_at_it or not row.job.is_final):
        return [Action(_NAMES[verb], link(f"/jobs/{row.job.id}/{verb}")) for verb in job_verbs(row.job)]
    if row.is_at_it:
        return [Action(_NAMES[verb], run_href(row.run_id, row.store_url, f"/{verb}")) for verb in (STOP, STOP_NOW)]
    return []


def job_verbs(job: Job) -> list[str]:
    """What `seedbed.job_requests` would do for a job in this state."""
    if not job.is_final:
        asked = {Desired.RUN: (STOP, STOP_NOW), Desired.STOP: (STOP_NOW,), Desired.STOP_NOW: ()}[job.desired]
        waits = job.state == JobState.QUEUED and job.not_before is not None
        return [*asked, RETRY] if waits else list(asked)
    if job.state in (JobState.FAILED, JobState.LOST):
        return [RETRY]
    return [RESUME] if job.state == JobState.STOPPED else []
