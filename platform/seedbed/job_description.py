"""Everything that registry and store know of one job, for `describe`."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from seedbed.controller.retries import num_faults
from seedbed.failures import Fault
from seedbed.job_table import OVERRIDES, JobRow, next_command, rows_of
from seedbed.registry.records import Alarm, Attempt, Cluster, Event, Job
from seedbed.registry.registry import Registry
from seedbed.tracking.place import TrackingPlace, is_server

NUM_EVENTS = 12


@dataclass(frozen=True)
class JobDescription:
    """A job with its attempts (oldest first), newest events (oldest first) and standing alarms."""

    row: JobRow
    attempts: list[Attempt]
    events: list[Event]
    alarms: list[Alarm]
    cluster: Cluster | None
    awaited: Job | None
    mlflow_answers: bool | None = None  # None: there is none to be asked

    @property
    def job(self) -> Job:
        return self.row.job

    @property
    def mlflow(self) -> str | None:
        """The run's page in MLflow; the server until it has one; None of a job that is not tracked."""
        uri = mlflow_uri(self.job, self.cluster)
        if uri is None:
            return None
        told: dict[str, str | None] = next(
            (a.progress["mlflow"] for a in reversed(self.attempts) if a.progress.get("mlflow")), {}
        )
        return TrackingPlace(uri, "", None).where_to_look(told.get("experiment_id"), told.get("run"))

    def next_command(self, written: Callable[[str], str] = str) -> str:
        return next_command(self.job, is_cluster_down=self.row.is_cluster_down, written=written)

    def to_json(self) -> dict[str, Any]:
        job = asdict(self.job)
        return {
            **self.row.to_json(),
            "key": job["key"],
            "bundle": job["bundle"],
            "store": job["store_url"],
            "until": job["until"],
            "over_budget": job["over_budget"],
            "after": job["after"],
            "max_retries": job["max_retries"],
            "not_before": job["not_before"],
            "plan": job["summary"],
            "mlflow": self.mlflow,
            "mlflow_answers": self.mlflow_answers,
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "events": [asdict(event) for event in self.events],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "next": self.next_command(),
        }


def describe(registry: Registry, job: Job) -> JobDescription:
    attempts = registry.attempts(job.id)
    subjects = [f"job {job.id}", *(f"attempt {job.id}.{attempt.number}" for attempt in attempts)]
    events = registry.events(subjects, limit=NUM_EVENTS, newest_first=True)
    alarms = [
        alarm
        for alarm in registry.alarms()
        if (alarm.subject_kind, alarm.subject_id) in (("job", str(job.id)), ("cluster", job.cluster))
    ]
    [row] = rows_of(registry, [job])
    cluster = next((one for one in registry.clusters() if one.name == job.cluster), None)
    awaited = registry.job(job.after) if job.after is not None else None
    uri = mlflow_uri(job, cluster)
    # Of a cluster that was taken down nothing runs, and its MLflow is not missed.
    answers = None if uri is None or row.is_cluster_down else TrackingPlace(uri, "", None).answers()
    return JobDescription(row, attempts, events[::-1], alarms, cluster, awaited, answers)


def mlflow_uri(job: Job, cluster: Cluster | None) -> str | None:
    """The server that the job is tracked by: its run file's, or its cluster's as it is now; None without any."""
    summary = job.summary
    uri = summary.get("mlflow_uri")
    if uri is None and summary.get("is_tracked") and cluster is not None:
        uri = cluster.mlflow_uri
    return uri if uri and is_server(uri) else None


def lines(found: JobDescription) -> list[tuple[str, str]]:
    """(what, value) of the job, for people."""
    job, plan = found.job, found.job.summary
    latest = found.attempts[-1] if found.attempts else None
    told = [
        ("job", f"{job.id}: {job.state}" + (f" ({why})" if (why := found.row.why(time.time())) else "")),
        ("run", f"{job.run_id}, project {job.project}, submitted by {job.owner} at {moment(job.submitted_at)}"),
        *([("with", f"--set {' '.join(job.summary[OVERRIDES])}")] if job.summary.get(OVERRIDES) else ()),
        ("store", job.store_url),
        ("cluster", f"{job.cluster}" + (f" ({found.cluster.state})" if found.cluster else " (not registered)")),
        ("reserves", f"{job.cpus:g} CPUs, {job.gpus:g} GPUs; priority {job.priority}"),
    ]
    if found.awaited is not None:
        told.append(("after", f"job {found.awaited.id} ({found.awaited.run_id}), which is {found.awaited.state}"))
    told.append(("plan", f"{plan['parameters']:,} parameters, {plan['num_steps']:,} steps, {plan['tokens']:,} tokens"))
    told.append(("estimate", f"{_range(plan.get('hours'), 'hours')}; {_range(plan.get('cost'), 'of money')}"))
    verdict = plan["verdict"] + (f", started all the same: {job.over_budget}" if job.over_budget else "")
    told.append(("budget", verdict))
    if job.until:
        told.append(("until", job.until))
    if found.row.step:
        told.append(("progress", f"{found.row.step}: {found.row.progress}"))
    if spending := found.row.spending:
        cost = "" if spending.get("cost") is None else f", {spending['cost']:.4g} of money"
        told.append(("spent", f"{spending['device_hours']:.4g} device hours{cost}"))
    if latest is not None and latest.node:
        told.append(("runs on" if not job.is_final else "ran on", latest.node))
    told.append(("faults", f"{job.infrastructure_faults} of machines, {job.user_faults} of the run"))
    spent = num_faults(job, found.attempts, Fault.INFRASTRUCTURE)
    told.append(("attempts", f"{len(found.attempts)}; retries after faults of machines: {spent} of {job.max_retries}"))
    told.append(("code", f"bundle {job.bundle}" + (f", commit {plan['git_commit']}" if plan.get("git_commit") else "")))
    if found.mlflow:
        silent = " (does not answer now; what it misses is sent later)" if found.mlflow_answers is False else ""
        told.append(("MLflow", f"{found.mlflow}{silent}, experiment {plan.get('experiment')}"))
    return told


def moment(at: float | None) -> str:
    """Local time, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at is not None else ""


def _range(values: list[float | None] | None, unit: str) -> str:
    low, high = values or (None, None)
    if low is None or high is None:
        return f"{unit} unknown"
    shown = f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
    return f"{shown} {unit}"
