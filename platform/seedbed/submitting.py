"""From a run file to a job in the queue.

    RunConfig --draft--> plan, verdict, cluster, contents --(a person says yes)--> submit --> store, registry

`draft` writes nothing; `submit` puts run and bundle into the store, and then the job into the
registry, which the controller reads.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import blake3

from seedbed.bundle import FOLDER, Contents, gather, keep
from seedbed.cluster_api import is_of_another_machine
from seedbed.cluster_choice import choose, nodes_of
from seedbed.errors import BudgetRefused, UsageError
from seedbed.job_table import OVERRIDES
from seedbed.launch import check_planned, check_until, record_run, refusal
from seedbed.lease import GC_LEASE, Leases
from seedbed.plan import CACHED, Plan, make_plan
from seedbed.registry.records import Cluster, Job, NewJob
from seedbed.registry.registry import Registry
from seedbed.registry.states import ACTIVE, JobState
from seedbed.reservation import Reservation, reservation, reserve
from seedbed.runfile.load import write_resolved
from seedbed.runfile.run import RunConfig
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.submission import check_reachable, submitted_launch
from seedbed.tracking.description import git_commit

DEFAULT_PROJECT = "default"
DEFAULT_RETRIES = 3
_LIMITS = ("max_flops", "max_wall_hours", "max_device_hours", "max_cost")


@dataclass(frozen=True)
class Draft:
    """A submission that nobody has agreed to yet."""

    run: RunConfig
    plan: Plan
    cluster: Cluster
    reserved: Reservation
    bundle: Contents
    until: str | None
    over_budget: str | None
    project: str
    after: Job | None
    known: Job | None  # the same submission: not over yet, or finished with all that it made still there
    notes: tuple[str, ...]  # what a person should know
    overrides: tuple[str, ...] = ()  # `a.b=c`, in place of the run file's values

    @property
    def key(self) -> str:
        named = (self.plan.run_id, self.cluster.name, self.bundle.digest, self.until or "")
        return blake3.blake3("\0".join(named).encode()).hexdigest(length=16)


def draft(
    store: Store,
    registry: Registry,
    run: RunConfig,
    *,
    cluster: str | None = None,
    address: str | None = None,
    project: str = DEFAULT_PROJECT,
    after: str | None = None,
    until: str | None = None,
    over_budget: str | None = None,
    overrides: Sequence[str] = (),
) -> Draft:
    """Plan the run, check it against its budget and the cluster, and gather what its job brings along. `overrides` are
    in `run` already; lists of jobs show them.

    Raises SourceError; UsageError for what can never be, with the arithmetic; BudgetRefused where the
    plan is over its budget and no reason to start it all the same is given.
    """
    check_until(until)
    chosen = choose(registry, cluster, address)
    awaited = None if after is None else _awaited(registry, after)
    plan = make_plan(run, store)
    check_planned(until, plan)
    if plan.verdict == "refuse" and not over_budget:
        raise BudgetRefused(refusal(plan.run_id, plan.findings, plan.nearest_num_steps))
    # This machine's own name need not resolve here.
    seen_at = chosen.host if chosen.host and is_of_another_machine(chosen) else chosen.address
    check_reachable(plan, store, seen_at)
    nodes, note = nodes_of(chosen)
    reserved = reserve(run.cluster, chosen.name, nodes) if nodes else reservation(run.cluster)
    launch = submitted_launch(plan, store, until=until, over_budget=over_budget, project=project)
    made = Draft(
        run=run,
        plan=plan,
        cluster=chosen,
        reserved=reserved,
        bundle=gather(launch, write_resolved(run)),
        until=until,
        over_budget=over_budget,
        project=project,
        after=awaited,
        known=None,
        notes=(note,) if note else (),
        overrides=tuple(overrides),
    )
    return _with_known(made, registry)


def _awaited(registry: Registry, name: str) -> Job:
    try:
        return registry.find_job(name)
    except UsageError as error:
        raise UsageError(f"--after: {error}") from error


def _with_known(made: Draft, registry: Registry) -> Draft:
    same = [job for job in registry.jobs(run_id=made.plan.run_id) if job.key == made.key]
    known = next((job for job in same if job.state in ACTIVE), None)
    if known is None and same and same[0].state == JobState.FINISHED and _is_all_there(made.plan):
        known = same[0]
    return made if known is None else Draft(**(vars(made) | {"known": known}))


def _is_all_there(plan: Plan) -> bool:
    return all(step.state == CACHED for step in plan.steps)


def submit(
    made: Draft,
    store: Store,
    state: StateDirectory,
    registry: Registry,
    *,
    owner: str,
    priority: int = 0,
    max_retries: int = DEFAULT_RETRIES,
) -> tuple[Job, bool]:
    """The job, and whether it is new: the same submission twice is one job. Raises StoreError."""
    if made.known is not None:
        return made.known, False
    record_run(store, state, made.plan, made.run, made.over_budget)
    with Leases(store, state).hold(GC_LEASE):
        keep(made.bundle.pack(state.folder(FOLDER)), store, made.plan.run_id)
    new = NewJob(
        key=made.key,
        run_id=made.plan.run_id,
        name=made.plan.name,
        project=made.project,
        owner=owner,
        cluster=made.cluster.name,
        store_url=store.place,
        bundle=made.bundle.digest,
        cpus=made.reserved.cpus,
        gpus=made.reserved.gpus,
        priority=priority,
        after=made.after.id if made.after else None,
        max_retries=max_retries,
        until=made.until,
        over_budget=made.over_budget,
        summary=_summary(made),
    )
    return registry.add_job(new, actor=owner)


def kept(job: Job, *, priority: int, max_retries: int, after: int | None) -> list[str]:
    """What a job that is there already was submitted with, where the same submission now says something else."""
    asked = (("priority", job.priority, priority), ("retries", job.max_retries, max_retries))
    said = [f"{name} {was}" for name, was, wanted in asked if was != wanted]
    if job.after != after:
        said.append("after no other job" if job.after is None else f"after job {job.after}")
    return said


def _summary(made: Draft) -> dict[str, Any]:
    """What lists of jobs and pages show without reading the plan."""
    plan, run = made.plan, made.run
    return {
        "num_steps": run.training.num_steps,
        "tokens": plan.tokens,
        "parameters": plan.parameters,
        "flops": plan.flops,
        "verdict": plan.verdict,
        "hours": [plan.hours.low, plan.hours.high],
        "cost": [plan.cost.low, plan.cost.high],
        "predicted_loss": plan.predicted_loss.value,
        "steps": [step.kind for step in plan.steps],
        "cached": [step.kind for step in plan.steps if step.state == CACHED],
        "budget": {name: getattr(run.budget, name) for name in _LIMITS},
        "is_tracked": run.tracking.enabled,
        "mlflow_uri": run.tracking.mlflow_uri,  # None: the cluster's, wherever that is when it is asked
        "training_ranks": run.cluster.training_ranks,
        "experiment": run.tracking.experiment or made.project,
        "git_commit": git_commit(),
        "submitted_at": time.time(),
        OVERRIDES: list(made.overrides),
    }


def require_usable(text: str) -> str:
    """A project's name, which MLflow must take as an experiment's. Raises UsageError."""
    if not text or len(text) > 200 or any(sign in text for sign in "/:\"'`"):
        raise UsageError(f"--project {text!r}: expected 1 to 200 characters without / : \" ' `")
    return text
