"""What a list of jobs shows of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.registry.records import Attempt, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import ACTIVE, FINAL, ClusterState, JobState
from seedbed.units import duration

TRAINING = "pretrain"
"""The step of which optimizer steps are counted."""
OVERRIDES = "set"
"""In a job's summary: what `--set` put in place of the run file's values, each `a.b=c`."""
MAX_CHANGES_CHARS = 48
"""Of them in a list: two or three."""
QUIET_AFTER_S = 30.0
"""A driver reports each 5 s (10 s on object stores), and the controller passes it on within as long."""


@dataclass(frozen=True)
class JobRow:
    """A job with what its newest heartbeat says."""

    job: Job
    attempt: Attempt | None
    spending: dict[str, Any] = field(default_factory=dict)  # the newest of any attempt: it is of all that came before
    is_cluster_down: bool = False  # taken down on purpose

    @property
    def step(self) -> str:
        """The step that is at work, while it is."""
        return str(self._progress.get("step") or "") if self.job.state not in FINAL and self.attempt else ""

    @property
    def progress(self) -> str:
        """`120 of 400 units`, optimizer steps in a training; how many of the run's steps are done where nothing is
        counted."""
        if self.job.state == JobState.FINISHED:
            return "all done"
        done, total = self._progress.get("done"), self._progress.get("total")
        if done is not None and total:
            unit = "steps" if self.step == TRAINING else self._progress.get("unit") or "units"
            return f"{done:,} of {total:,} {unit}"
        finished = self._progress.get("steps_done")
        of = len(self.job.summary.get("steps") or finished or ())
        return f"{len(finished)} of {of} steps of the run" if finished else ""

    @property
    def seconds_left(self) -> float | None:
        return self._progress.get("seconds_left") if self.job.state == JobState.RUNNING else None

    @property
    def cost(self) -> float | None:
        """Of the training so far; None where it has no price."""
        return self.spending.get("cost")

    @property
    def device_hours(self) -> float | None:
        return self.spending.get("device_hours")

    @property
    def num_attempts(self) -> int:
        """A person's `resume` and `retry` begin one as well as a fault does."""
        return self.attempt.number if self.attempt else 0

    @property
    def _progress(self) -> dict[str, Any]:
        return self.attempt.progress if self.attempt else {}

    def why(self, now: float) -> str:
        """The reason of its state; of one that should report and does not, since when; of one whose cluster is down,
        that it waits for that."""
        if self.is_cluster_down and not self.job.is_final:
            waits = f"waits until {self.job.cluster} is up"
            return waits if self.job.state == JobState.QUEUED else f"{waits}: how it ended is not known yet"
        heard_at = self.attempt.heard_at if self.attempt else None
        if self.job.state not in (JobState.RUNNING, JobState.STOPPING) or heard_at is None:
            return self.job.reason
        quiet_s = now - heard_at
        return self.job.reason if quiet_s <= QUIET_AFTER_S else f"{self.job.reason}; heard {duration(quiet_s)} ago"

    def to_json(self) -> dict[str, Any]:
        job, attempt = self.job, self.attempt
        return {
            "id": job.id,
            "run": job.run_id,
            "name": job.name,
            "set": job.summary.get(OVERRIDES) or [],
            "project": job.project,
            "owner": job.owner,
            "cluster": job.cluster,
            "state": job.state,
            "desired": job.desired,
            "reason": job.reason,
            "step": self.step or None,
            "done": self._progress.get("done"),
            "total": self._progress.get("total"),
            "unit": self._progress.get("unit"),
            "steps_done": self._progress.get("steps_done"),
            "seconds_left": self.seconds_left,
            "cost": self.cost,
            "device_hours": self.device_hours,
            "attempts": self.num_attempts,
            "infrastructure_faults": job.infrastructure_faults,
            "user_faults": job.user_faults,
            "priority": job.priority,
            "cpus": job.cpus,
            "gpus": job.gpus,
            "submitted_at": job.submitted_at,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
            "heard_at": attempt.heard_at if attempt else None,
            "exit_code": attempt.exit_code if attempt else None,
            "failure": attempt.failure if attempt else None,
        }


def changes(job: Job) -> str:
    """What tells the job from others of its run file: the `--set` that it was submitted with, `learning_rate=1e-3`, the
    first ones where there are many."""
    shown, left = "", [_short(one) for one in job.summary.get(OVERRIDES) or ()]
    while left and (not shown or len(shown) + len(left[0]) < MAX_CHANGES_CHARS):
        shown += f"{', ' if shown else ''}{left.pop(0)}"
    return shown + (f" and {len(left)} more" if left else "")


def _short(override: str) -> str:
    key, equals, value = override.partition("=")
    return f"{key.rpartition('.')[2]}{equals}{value}"


def job_rows(registry: Registry, *, project: str | None, is_all: bool, limit: int) -> list[JobRow]:
    """Jobs that are not over, then the newest others up to `limit` in all; with `is_all` as many as there are."""
    if is_all:
        found = registry.jobs(project=project, limit=None)
    else:
        active = registry.jobs(states=ACTIVE, project=project, limit=None)
        over = registry.jobs(states=FINAL, project=project, limit=max(limit - len(active), 0))
        found = [*active, *over]
    return rows_of(registry, found)


def rows_of(registry: Registry, jobs: Sequence[Job]) -> list[JobRow]:
    attempts = registry.latest_attempts([job.id for job in jobs])
    down = {cluster.name for cluster in registry.clusters() if cluster.state == ClusterState.DOWN}
    return [
        JobRow(job, attempts.get(job.id), _spending(registry, attempts.get(job.id)), job.cluster in down)
        for job in jobs
    ]


def _spending(registry: Registry, newest: Attempt | None) -> dict[str, Any]:
    """Of an attempt that has not come to its training yet, what the ones before have told."""
    if newest is None:
        return {}
    told = newest.progress.get("spending")
    earlier = reversed(registry.attempts(newest.job_id)[:-1]) if not told and newest.number > 1 else ()
    return told or next((found for one in earlier if (found := one.progress.get("spending"))), None) or {}


def worth_a_look(rows: Sequence[JobRow]) -> JobRow:
    """Of the jobs of a table: the one that runs, else the newest that needs a person, else one that waits, else the
    first."""
    ranks = {
        **dict.fromkeys((JobState.RUNNING, JobState.STOPPING, JobState.STARTING), 0),
        **dict.fromkeys((JobState.FAILED, JobState.LOST), 1),
        JobState.QUEUED: 2,
    }
    return min(rows, key=lambda row: (ranks.get(row.job.state, 3), -row.job.id))


def next_command(job: Job, *, is_cluster_down: bool = False, written: Callable[[str], str] = str) -> str:
    """What to type next; `written` puts each command as its reader can type it (`seedbed.programs.typed`)."""
    number = job.id
    logs, follow = written(f"seedbed logs {number}"), written(f"seedbed logs -f {number}")
    stop = written(f"seedbed stop {number}")
    if is_cluster_down and not job.is_final:
        return f"{written('seedbed cluster up')}; to take it back: {stop}"
    known = {
        JobState.QUEUED: f"{follow}; to take it back: {stop}",
        JobState.STARTING: follow,
        JobState.RUNNING: f"{follow}; to stop it at a checkpoint: {stop}",
        JobState.STOPPING: f"{follow}; to end it at once: {written(f'seedbed stop --now {number}')}",
        JobState.FINISHED: written(f"seedbed show {job.run_id} --store {job.store_url}"),
        JobState.STOPPED: written(f"seedbed resume {number}"),
        JobState.FAILED: f"{logs}; with the cause mended: {written(f'seedbed retry {number}')}",
        JobState.LOST: written(f"seedbed retry {number}"),
    }
    return known[job.state]
