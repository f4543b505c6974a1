"""Runs that a store holds become runs of the registry, whoever started them: `seedbed run` asks no registry."""

import dataclasses
import json
import time
from calendar import timegm
from typing import Any

from dataprep.errors import CorruptDataError
from seedbed import runs
from seedbed.lease import Leases
from seedbed.registry.records import Run
from seedbed.registry.registry import Registry
from seedbed.registry.states import DAMAGED, GONE
from seedbed.runs import FINISHED, INTERRUPTED, RUNNING, STOPPED, RunRecord
from seedbed.state import StateDirectory
from seedbed.store import Store

ACTOR = "store"


def see_runs(registry: Registry, store: Store, state: StateDirectory) -> list[Run]:
    """Write down what is new in the store's runs, and return those that changed.

    A run whose `run.json` is the one of the last look is not read again; only whether a running one's driver lives is
    asked anew. A store that lists no runs at all changes nothing: its disk may not be mounted.
    """
    known = {run.run_id: run for run in registry.runs(store_url=store.place, limit=None)}
    leases = Leases(store, state)
    there = store.names("runs")
    changed = []
    for run_id in there:
        before = known.get(run_id)
        run = _look(store, leases, run_id, before)
        if run is not None and run != before:
            changed.append(run)
    for run_id in known.keys() - set(there) if there else ():
        if known[run_id].state != GONE:
            changed.append(dataclasses.replace(known[run_id], state=GONE, stamp="", reason="its folder was removed"))
    seen_at = time.time()
    return registry.see_runs([dataclasses.replace(run, seen_at=seen_at) for run in changed], actor=ACTOR)


def _look(store: Store, leases: Leases, run_id: str, before: Run | None) -> Run | None:
    """The run as it is now; None where the folder holds no run."""
    path = runs.record_path(run_id)
    stamp = store.stamp(path)
    if stamp is None:
        return None
    lease = runs.lease_name(run_id)
    if before is not None and before.stamp == stamp and (before.state != RUNNING or leases.is_held(lease)):
        return before
    try:
        record = runs.load(store, run_id)
    except CorruptDataError as error:
        return _damaged(store, run_id, stamp, before, str(error))
    if record is None:
        return None
    if record.state == RUNNING and not leases.is_held(lease):
        if store.stamp(path) != stamp:  # its driver ended between the two looks, and has written so
            return _look(store, leases, run_id, before)
        record.state = INTERRUPTED
    return Run(
        run_id=run_id,
        store_url=store.place,
        name=record.name,
        created_at=_seconds(record.created_at),
        state=record.state,
        reason=_reason(record),
        seen_at=before.seen_at if before else 0.0,
        stamp=stamp,
        summary=_summary(store, record),
    )


def _damaged(store: Store, run_id: str, stamp: str, before: Run | None, reason: str) -> Run:
    known = before or Run(run_id, store.place, run_id.rpartition("-")[0], time.time(), DAMAGED)
    return dataclasses.replace(known, state=DAMAGED, reason=reason, stamp=stamp)


def _seconds(utc: str) -> float:
    return float(timegm(time.strptime(utc, "%Y-%m-%dT%H:%M:%SZ")))


def _reason(record: RunRecord) -> str:
    if record.error:
        return record.error
    if record.state == INTERRUPTED:
        return "its driver is gone without a word"
    if record.state == FINISHED:
        return "all of its steps are done"
    if record.state == STOPPED:
        return "the step after which it was to stop is done"
    return f"attempt {len(record.attempts)}" if record.attempts else "planned"


def _summary(store: Store, record: RunRecord) -> dict[str, Any]:
    """What a list of runs shows of the plan; nothing where the plan cannot be read."""
    found: dict[str, Any] = {"attempts": len(record.attempts), "over_budget": record.over_budget}
    path = f"runs/{record.run}/plan.json"
    if store.exists(path):
        try:
            plan = json.loads(store.read(path))
            found |= {"parameters": plan["parameters"], "tokens": plan["tokens"], "flops": plan["flops"]}
            found["num_steps"] = plan["config"]["training"]["num_steps"]
        except (ValueError, KeyError, TypeError):
            found["plan"] = "damaged, or of another version of Seedbed"
    return found
