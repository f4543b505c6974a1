"""What may be said of a run's state, from what was last heard. It decides and touches nothing.

A run is called running only while it is heard. What is out of reach is called that, with the time of the last word.
"""

from dataclasses import dataclass
from typing import Any

from seedbed import runs
from seedbed.registry.records import Job, Run
from seedbed.registry.states import DAMAGED, GONE, JobState

SILENT_AFTER_BEATS = 4
"""Heartbeats that may be missed: a store of objects is slow now and then."""
MIN_SILENT_AFTER_S = 30.0
FIRST_BEAT_WITHIN_S = 60.0
"""A driver that starts reads its plan before it says anything."""

SILENT, UNREACHABLE = "silent", "unreachable"

_TONES = {
    runs.PLANNED: "idle",
    runs.RUNNING: "live",
    runs.FINISHED: "good",
    runs.STOPPED: "idle",
    runs.FAILED: "bad",
    runs.INTERRUPTED: "warn",
    GONE: "idle",
    DAMAGED: "bad",
    JobState.QUEUED: "wait",
    JobState.STARTING: "wait",
    JobState.STOPPING: "warn",
    JobState.LOST: "bad",
    SILENT: "warn",
    UNREACHABLE: "warn",
}
_HEARD = frozenset({runs.RUNNING, JobState.STARTING, JobState.STOPPING})
"""States that are true only while somebody is heard."""


@dataclass(frozen=True)
class SeenState:
    """A state as it may be shown."""

    state: str
    tone: str  # live, good, bad, warn, wait, idle: how it looks
    note: str = ""  # a sentence, where the state alone would mislead
    heard_at: float | None = None  # the newest word of a run that is at it

    @property
    def is_live(self) -> bool:
        return self.tone == "live"


def state_of(state: str) -> SeenState:
    """A state that needs no heartbeat to be true."""
    return SeenState(state, _TONES.get(state, "idle"))


def seen_state(
    run: Run | None, job: Job | None, heartbeat: dict[str, Any] | None, now: float, out_of_reach_since: float | None
) -> SeenState:
    """The state of a run or job. `out_of_reach_since`: when its store was last read, None while it answers."""
    state = _said(run, job)
    heard_at = None if heartbeat is None else heartbeat.get("at")
    if state not in _HEARD:
        return state_of(state)
    if out_of_reach_since is not None:
        return SeenState(UNREACHABLE, "warn", f"was {state} when its store last answered", heard_at)
    if state == JobState.STARTING:
        return SeenState(state, "wait", "", heard_at)
    if heard_at is None:
        since = job.state_since if job is not None else run.seen_at if run is not None else now
        if now - since > FIRST_BEAT_WITHIN_S:
            return SeenState(SILENT, "warn", f"said to be {state}, but it has not been heard yet")
        return SeenState(state, _TONES[state])
    every_s = (heartbeat or {}).get("every_s") or 0.0
    if now - heard_at > max(SILENT_AFTER_BEATS * every_s, MIN_SILENT_AFTER_S):
        return SeenState(SILENT, "warn", f"said to be {state}, but nothing was heard for a while", heard_at)
    return SeenState(state, _TONES[state], "", heard_at)


def _said(run: Run | None, job: Job | None) -> str:
    """What registry or store say."""
    if job is not None and is_told_by_job(run, job):
        return str(job.state)
    assert run is not None, "a run or a job"
    return run.state


def is_told_by_job(run: Run | None, job: Job) -> bool:
    """Whether the job knows more than the run's own record: while it is not over, and where no driver of it wrote."""
    return run is None or not job.is_final or job.state == JobState.LOST or run.state == runs.PLANNED
