"""The states of jobs, attempts and clusters, and which may follow which: data, no rules in code."""

from enum import StrEnum


class JobState(StrEnum):
    """Where a submission stands."""

    QUEUED = "queued"
    STARTING = "starting"  # given to Ray, its driver not heard yet
    RUNNING = "running"
    STOPPING = "stopping"  # asked to stop, and still heard
    FINISHED = "finished"
    STOPPED = "stopped"  # by a person, by --until, or by its budget
    FAILED = "failed"
    LOST = "lost"  # Ray does not know it any more, and it has said nothing


class Desired(StrEnum):
    """What a person wants of a job."""

    RUN = "run"
    STOP = "stop"  # at a checkpoint
    STOP_NOW = "stop_now"


class AttemptState(StrEnum):
    """Where one start of a job stands."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


class ClusterState(StrEnum):
    """Whether a cluster answers."""

    UP = "up"
    UNREACHABLE = "unreachable"
    DOWN = "down"  # taken down on purpose


class Level(StrEnum):
    """How bad an alarm is."""

    WARNING = "warning"
    CRITICAL = "critical"


GONE, DAMAGED = "gone", "damaged"
"""States of a run that its store does not hold any more, or whose record cannot be read; its other states are those of
`seedbed.runs`."""

FINAL = frozenset({JobState.FINISHED, JobState.STOPPED, JobState.FAILED, JobState.LOST})
ACTIVE = frozenset(JobState) - FINAL
"""Jobs that the controller looks after."""

_Q, _S, _R, _P = JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.STOPPING
_F, _X, _E, _L = JobState.FINISHED, JobState.STOPPED, JobState.FAILED, JobState.LOST

JOB_TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    _Q: frozenset({_S, _X, _E}),  # stopped or refused before it ever ran
    _S: frozenset({_R, _P, _Q, _F, _X, _E, _L}),  # back to the queue: Ray did not take it, or a retry
    _R: frozenset({_P, _Q, _F, _X, _E, _L}),  # back to the queue: a retry of an attempt that was lost
    _P: frozenset({_F, _X, _E, _L}),
    _F: frozenset(),
    _X: frozenset({_Q}),  # resume
    _E: frozenset({_Q}),  # retry
    _L: frozenset({_Q, _R, _F, _X, _E}),  # retry; or a machine that was cut off came back and tells how it went on
}

ATTEMPT_TRANSITIONS: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.STARTING: frozenset({AttemptState.RUNNING, AttemptState.ENDED, AttemptState.LOST}),
    AttemptState.RUNNING: frozenset({AttemptState.ENDED, AttemptState.LOST}),
    AttemptState.ENDED: frozenset(),
    AttemptState.LOST: frozenset({AttemptState.RUNNING, AttemptState.ENDED}),  # it was cut off, and came back
}
