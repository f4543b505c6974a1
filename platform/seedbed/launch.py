"""The hand-over to a job: a file that says all a driver needs, and the command that takes it."""

import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seedbed import runs
from seedbed.budget import Finding
from seedbed.errors import BudgetRefused, UsageError
from seedbed.lease import GC_LEASE, Leases
from seedbed.machine_gpus import require_gpu
from seedbed.plan import Plan, make_plan
from seedbed.runfile.load import load_run, write_resolved
from seedbed.runfile.run import RunConfig
from seedbed.state import StateDirectory
from seedbed.steps import STEPS
from seedbed.store import Store

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a driver in order; they are blocked while it starts."""


@dataclass(frozen=True)
class Launch:
    """What `python -m jobs.run FILE` is given."""

    store_url: str
    state_root: str
    run_id: str
    until: str | None
    over_budget: str | None
    at: float = 0.0  # seconds since 1970: a request to stop from before is not meant for this driver
    job: int | None = None  # of the registry; None where nobody has submitted it
    attempt: int | None = None  # of that job
    owner: str | None = None  # who submitted it; None: whoever runs the driver
    cluster: dict[str, Any] | None = None  # in place of the plan's, whole
    tracking: dict[str, Any] | None = None  # in place of the plan's, whole

    @classmethod
    def read(cls, path: str | Path) -> "Launch":
        return cls(**json.loads(Path(path).read_text()))

    def placed(self, plan: Plan) -> Plan:
        """The plan, on this launch's machines and with its tracking: neither is part of what a run is."""
        named = {"cluster": self.cluster, "tracking": self.tracking}
        return replace(plan, config=plan.config | {key: value for key, value in named.items() if value is not None})


def start(
    store: Store,
    state: StateDirectory,
    run_file: str,
    overrides: Sequence[str],
    until: str | None,
    over_budget: str | None,
) -> list[str]:
    """Plan the run, record it, and return the command that carries it out.

    Raises UsageError for an unknown step and for a training on GPUs where there are none, RunFileError and
    SourceError, and BudgetRefused where the plan is over its budget and no reason to start it all the same is given.
    """
    check_until(until)
    run = load_run(run_file, overrides)
    plan = make_plan(run, store)
    if plan.verdict == "refuse" and not over_budget:
        raise BudgetRefused(refusal(plan.run_id, plan.findings, plan.nearest_num_steps))
    check_planned(until, plan)
    require_gpu(plan, until)
    launch = Launch(store.url, str(state.root), plan.run_id, until, over_budget, at=time.time())
    path = keep_launch(state, launch)
    record_run(store, state, plan, run, over_budget)
    return [sys.executable, "-P", "-m", "jobs.run", str(path)]  # -P: a folder `jobs` where one stands is not ours


def keep_launch(state: StateDirectory, launch: Launch) -> Path:
    """Write the launch where a driver reads it, and where `newest_launch` finds it. Raises StoreError."""
    return state.write(f"launches/{launch.run_id}.json", json.dumps(asdict(launch), indent=1))


def newest_launch(state: StateDirectory, run_id: str) -> Launch | None:
    """The last one of this run from this state directory; None where there is none that can be read."""
    try:
        return Launch.read(state.root / "launches" / f"{run_id}.json")
    except (OSError, ValueError, TypeError):
        return None


def check_until(until: str | None) -> None:
    """Raises UsageError for a step that there is not."""
    kinds = [step.kind for step in STEPS]
    if until is not None and until not in kinds:
        raise UsageError(f"--until {until}: there is no such step; the steps are {', '.join(kinds)}")


def check_planned(until: str | None, plan: Plan) -> None:
    """Raises UsageError for a step that this run leaves out."""
    if until is not None and until not in {step.kind for step in plan.steps}:
        raise UsageError(f"--until {until}: this run has no such step, as its run file has no data.{until}")


def record_run(store: Store, state: StateDirectory, plan: Plan, run: RunConfig, over_budget: str | None) -> None:
    """Remember the run, its plan and its resolved run file: from then on, what the plan names is reached by a run.

    A record that is there is its driver's, which may be at work: it is left as it is, but for a new reason.
    """
    with Leases(store, state).hold(GC_LEASE):
        created = runs.RunRecord(plan.run_id, run.name, runs.now(), created_ns=time.time_ns())
        runs.load(store, plan.run_id)  # a damaged one is told before anything is written
        runs.save_plan(store, plan, write_resolved(run))
        record = runs.load(store, plan.run_id)  # as it is now: an object store takes its time for a plan
        if record is None or over_budget not in (None, record.over_budget):
            record = record or created
            record.over_budget = over_budget or record.over_budget
            runs.save(store, record)


def refusal(run_id: str, findings: Sequence[Finding], nearest_num_steps: int | None = None) -> str:
    """Why the budget refuses, with the arithmetic, and what can be done."""
    reasons = "\n".join(f"  {finding.message}" for finding in findings if finding.level == "refuse")
    if nearest_num_steps is not None:
        reasons += f"\n  with training.num_steps {nearest_num_steps} no limit would refuse it"
    return (
        f"the budget refuses run {run_id}:\n{reasons}\n"
        'change the run file (or --set), or start it all the same with --over-budget "reason"'
    )
