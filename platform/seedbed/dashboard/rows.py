"""A run or job as one row of a table: what every list shows of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from seedbed.dashboard.page import link
from seedbed.dashboard.seen_state import SeenState, is_told_by_job, seen_state
from seedbed.dashboard.watch import View
from seedbed.job_table import JobRow, changes
from seedbed.registry.records import Job, Run
from seedbed.registry.states import ACTIVE, ClusterState
from seedbed.runs import RUNNING


@dataclass(frozen=True)
class Row:
    """What is known of a run now. Without a store's record (`run` None) it is a job that has not begun."""

    name: str
    run_id: str
    store_url: str
    state: SeenState
    created_at: float
    run: Run | None
    job: Job | None
    heartbeat: dict[str, Any] = field(default_factory=dict)  # the newest; empty where there is none
    is_cluster_down: bool = False  # the job's, taken down on purpose

    @property
    def is_at_it(self) -> bool:
        return (self.run is not None and self.run.state == RUNNING) or (self.job is not None and not self.job.is_final)

    @property
    def href(self) -> str:
        return run_href(self.run_id, self.store_url)

    @property
    def changes(self) -> str:
        """What tells it from others of its run file; empty of a run that nobody submitted."""
        return changes(self.job) if self.job is not None else ""

    @property
    def training(self) -> dict[str, Any]:
        return self.heartbeat.get("training") or {}

    @property
    def spending(self) -> dict[str, Any]:
        return self.heartbeat.get("spending") or {}

    @property
    def cost_left(self) -> float | None:
        """Of the training, at its pace so far; None without a price."""
        spent, later = self.spending.get("cost"), self.spending.get("forecast_cost")
        return None if spent is None or later is None else max(later - spent, 0.0)

    @property
    def step(self) -> str | None:
        return self.heartbeat.get("step")

    @property
    def progress(self) -> tuple[float, float] | None:
        """(done, of) in the step that is at it: optimizer steps in a training, else units."""
        if self.step == "pretrain" and self.training.get("step") is not None:
            return self.training["step"], self.training["num_steps"]
        done, total = self.heartbeat.get("done"), self.heartbeat.get("total")
        return (done, total) if done is not None and total else None

    @property
    def unit(self) -> str:
        return "steps" if self.step == "pretrain" else self.heartbeat.get("unit") or "units"

    @property
    def reason(self) -> str:
        """Why it waits, or how it ended."""
        if self.job is not None and is_told_by_job(self.run, self.job):
            return JobRow(self.job, None, is_cluster_down=self.is_cluster_down).why(0.0)
        return self.run.reason if self.run is not None else ""


def ambiguous(runs: Iterable[Run]) -> set[str]:
    """The run ids that runs of several stores have."""
    return {run_id for run_id, number in Counter(run.run_id for run in runs).items() if number > 1}


def run_href(run_id: str, store_url: str, page: str = "", **query: Any) -> str:
    return link(f"/runs/{run_id}{page}", store=store_url, **query)


def run_row(view: View, run: Run, now: float) -> Row:
    job, beat = view.job_of(run), view.heartbeat(run.run_id, run.store_url)
    lost = view.store_lost_since(run.store_url, now)
    state, is_down = seen_state(run, job, beat, now, lost), job is not None and _is_down(view, job)
    return Row(run.name, run.run_id, run.store_url, state, run.created_at, run, job, beat or {}, is_down)


def job_row(view: View, job: Job, now: float) -> Row:
    run = next((r for r in view.runs if (r.run_id, r.store_url) == (job.run_id, job.store_url)), None)
    beat = view.heartbeat(job.run_id, job.store_url)
    if beat is None and job.id in view.attempts:
        beat = view.attempts[job.id].progress or None
    lost = view.store_lost_since(job.store_url, now)
    state = seen_state(run, job, beat, now, lost)
    return Row(job.name, job.run_id, job.store_url, state, job.submitted_at, run, job, beat or {}, _is_down(view, job))


def _is_down(view: View, job: Job) -> bool:
    return any(cluster.name == job.cluster and cluster.state == ClusterState.DOWN for cluster in view.clusters)


def rows_at_it(view: View, now: float) -> list[Row]:
    """Everything that runs, starts, stops or waits: jobs, and runs that nobody submitted."""
    jobs = [job for job in view.jobs if job.state in ACTIVE]
    of_jobs = {(job.run_id, job.store_url) for job in jobs}
    alone = [run for run in view.runs if run.state == RUNNING and (run.run_id, run.store_url) not in of_jobs]
    return [job_row(view, job, now) for job in jobs] + [run_row(view, run, now) for run in alone]
