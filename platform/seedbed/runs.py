"""Runs: what was asked, what became of it. Kept in the store, so that it outlives machine and state directory.

runs/<run id>/run.json        state and attempts
runs/<run id>/plan.json       the plan
runs/<run id>/resolved.yaml   the run file with everything filled in
runs/<run id>/conformance.json   what `seedbed conform` found, where it was asked
runs/<run id>/bundles/<digest>   an empty file for each bundle that was submitted for it (`seedbed.bundle`)
runs/<run id>/attempts/...       what each attempt reports while it goes (`seedbed.reports`)
"""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from dataprep.errors import CorruptDataError
from seedbed.errors import UsageError
from seedbed.lease import Leases
from seedbed.plan import Plan
from seedbed.state import StateDirectory
from seedbed.store import Store

CONFORMANCE = "conformance.json"

PLANNED, RUNNING, FINISHED, STOPPED, FAILED, INTERRUPTED, DAMAGED = (
    "planned",
    "running",
    "finished",
    "stopped",  # by --until, by its budget, or by somebody who asked for it
    "failed",
    "interrupted",  # by a signal, or its driver is gone without a word
    "damaged",  # its record cannot be read; never written down
)


@dataclass
class RunRecord:
    """One run, as it is remembered."""

    run: str
    name: str
    created_at: str
    state: str = PLANNED
    error: str | None = None
    over_budget: str | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    created_ns: int = 0  # since 1970: which of two that were made within a second is the newer one

    def begin_attempt(self) -> int:
        """The number of the attempt, from 1."""
        self.state, self.error = RUNNING, None
        self.attempts.append({"started_at": now()})
        return len(self.attempts)

    def end_attempt(self, state: str, error: str | None = None) -> None:
        self.state, self.error = state, error
        self.attempts[-1] |= {"ended_at": now(), "state": state}


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def lease_name(run_id: str) -> str:
    return f"run-{run_id}"


def record_path(run_id: str) -> str:
    return f"runs/{run_id}/run.json"


def save(store: Store, record: RunRecord) -> None:
    store.write(record_path(record.run), json.dumps(asdict(record), indent=1).encode())


def load(store: Store, run_id: str) -> RunRecord | None:
    path = record_path(run_id)
    if not store.exists(path):
        return None
    try:
        return RunRecord(**json.loads(store.read(path)))
    except (ValueError, TypeError) as error:
        raise CorruptDataError(f"{path} is damaged ({error}): {_cure(run_id)}") from error


def save_plan(store: Store, plan: Plan, resolved: str) -> None:
    store.write(f"runs/{plan.run_id}/plan.json", json.dumps(plan.to_json(), indent=1).encode())
    store.write(f"runs/{plan.run_id}/resolved.yaml", resolved.encode())


def load_plan(store: Store, run_id: str) -> Plan:
    path = f"runs/{run_id}/plan.json"
    if not store.exists(path):
        raise CorruptDataError(f"{path} is gone: {_cure(run_id)}")
    try:
        return Plan.from_json(json.loads(store.read(path)))
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptDataError(
            f"{path} is damaged, or another version of Seedbed wrote it ({error!r}): {_cure(run_id)}"
        ) from error


def _cure(run_id: str) -> str:
    # Before `gc`, which takes what no run reaches.
    return (
        f"remove the folder runs/{run_id} and run its run file again before any `seedbed gc`; what its steps made stays"
    )


def all_runs(store: Store, state: StateDirectory) -> list[RunRecord]:
    """Every run, oldest first, each with the state that is true now.

    One whose record cannot be read hides no other: it stands first, as DAMAGED, without attempts, and its `error` says
    what is wrong with it.
    """
    records = [record for run_id in store.names("runs") if (record := _load_or_damaged(store, run_id))]
    leases = Leases(store, state)
    for record in records:
        record.state = true_state(record, leases)
    return sorted(records, key=lambda record: (record.created_at, record.created_ns, record.run))


def _load_or_damaged(store: Store, run_id: str) -> RunRecord | None:
    try:
        return load(store, run_id)
    except CorruptDataError as error:
        return RunRecord(run_id, run_id.rpartition("-")[0], created_at="", state=DAMAGED, error=str(error))


def true_state(record: RunRecord, leases: Leases) -> str:
    """`running` only while a living driver holds the run's lease."""
    if record.state == RUNNING and not leases.is_held(lease_name(record.run)):
        return INTERRUPTED
    return record.state


def find(store: Store, state: StateDirectory, name: str | None) -> RunRecord:
    """The run with this id, or the newest one with this name; without a name the newest. Raises UsageError.

    Newest of those that were started: a plan whose layout was only compared (`seedbed conform`) hides no run. Nobody
    knows when a damaged one was made, so it is found by its id, or where there is no other.
    """
    records = all_runs(store, state)
    if not records:
        raise UsageError(f"no runs in {store.url}: start one with `seedbed run RUN.yaml`, or name another --store")
    if name is None:
        return _newest(records)
    found = [record for record in records if record.run == name] or [r for r in records if r.name == name]
    if not found:
        known = ", ".join(record.run for record in records[-5:])
        raise UsageError(f"no run {name!r} in {store.url}; the latest are {known}")
    return _newest(found)


def _newest(records: list[RunRecord]) -> RunRecord:
    """A damaged one has no attempts and stands first, so every other comes before it."""
    return next((record for record in reversed(records) if record.attempts), records[-1])
