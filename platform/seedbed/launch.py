"""The hand-over to a job: a file that says all a driver needs, and the command that takes it."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from seedbed import runs
from seedbed.plan import Plan
from seedbed.state import StateDirectory
from seedbed.store import Store


@dataclass(frozen=True)
class Launch:
    """What `python -m jobs.run FILE` is given."""

    store_url: str
    state_root: str
    run_id: str
    until: str | None
    over_budget: str | None

    @classmethod
    def read(cls, path: str) -> "Launch":
        return cls(**json.loads(Path(path).read_text()))


def prepare(
    store: Store, state: StateDirectory, plan: Plan, resolved: str, until: str | None, over_budget: str | None
) -> list[str]:
    """Record the run and return the command that carries it out."""
    record = runs.load(store, plan.run_id)
    if record is None:
        record = runs.RunRecord(plan.run_id, plan.name, runs.now())
    record.over_budget = over_budget or record.over_budget
    runs.save_plan(store, plan, resolved)
    runs.save(store, record)
    launch = Launch(store.url, str(state.root), plan.run_id, until, over_budget)
    path = state.folder("launches") / f"{plan.run_id}.json"
    path.write_text(json.dumps(asdict(launch), indent=1))
    return [sys.executable, "-m", "jobs.run", str(path)]
