"""What the pages of one run show beyond its row: plan, steps, attempts, training, checkpoints. What cannot change any
more is read once."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from dataprep.errors import CorruptDataError
from seedbed import kept_spending, reports, runs
from seedbed.artifact import Artifact
from seedbed.errors import StoreError
from seedbed.plan import Plan, PlannedStep
from seedbed.registry.records import Run
from seedbed.runs import RunRecord
from seedbed.show import DONE, step_summary, training_summary
from seedbed.state import StateDirectory
from seedbed.store import Store

MAX_KEPT = 2000
MAX_CHECKPOINTS = 20


class Kept:
    """The values last asked for, by key; the one asked for longest ago goes first. Safe for threads."""

    def __init__(self, at_most: int = MAX_KEPT) -> None:
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._at_most = at_most
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any], is_final: Callable[[Any], bool] = lambda _: True) -> Any:
        """The value of `key`, made where it is not there; kept where it `is_final`."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        if is_final(value):
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._at_most:
                    self._values.popitem(last=False)
        return value


@dataclass(frozen=True)
class AttemptReport:
    """One start of a run, as the store tells of it."""

    number: int
    heartbeat: dict[str, Any] | None
    end: dict[str, Any] | None


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint."""

    step: int
    num_bytes: int
    validation_loss: float | None


class RunDetails:
    """Reads one store's runs. Methods raise StoreError and CorruptDataError."""

    def __init__(self, store: Store, state: StateDirectory) -> None:
        self._store, self._state = store, state
        self._kept = Kept()

    def record(self, run: Run) -> RunRecord | None:
        """What the run itself has written down; None where it is gone, or damaged: the registry's row says that."""

        def read() -> RunRecord | None:
            try:
                return runs.load(self._store, run.run_id)
            except CorruptDataError:
                return None

        return self._kept.get(("record", run.run_id, self._store.stamp(runs.record_path(run.run_id))), read)

    def plan(self, run: Run) -> Plan:
        stamp = self._store.stamp(f"runs/{run.run_id}/plan.json")
        return self._kept.get(("plan", run.run_id, stamp), lambda: runs.load_plan(self._store, run.run_id))

    def resolved(self, run: Run) -> str:
        """The run file with everything filled in."""
        return self._store.read(f"runs/{run.run_id}/resolved.yaml").decode(errors="replace")

    def steps(self, plan: Plan) -> list[dict[str, Any]]:
        """One summary a step, in the order of the plan: see `seedbed.show.step_summary`."""
        return [self.step(step) for step in plan.steps]

    def step(self, step: PlannedStep) -> dict[str, Any]:
        return self._kept.get(
            ("step", step.kind, step.fingerprint),
            lambda: step_summary(self._store, self._state, step),
            lambda found: found["state"] == DONE,
        )

    def training(self, plan: Plan) -> dict[str, Any] | None:
        """The losses of a training that is done, None before."""
        if self.step(plan.step("pretrain"))["state"] != DONE:
            return None
        fingerprints = plan.step("pretrain").fingerprint, plan.step("evaluate").fingerprint
        return self._kept.get(
            ("training", *fingerprints),
            lambda: training_summary(self._store, self._state, plan),
            lambda _: self.step(plan.step("evaluate"))["state"] == DONE,
        )

    def spending(self, plan: Plan) -> dict[str, Any]:
        """What was spent so far, over all attempts, and the forecast: see `seedbed.spending.Spending.summary`."""
        artifact = Artifact(self._store, "pretrain", plan.step("pretrain").fingerprint)
        return kept_spending.read(artifact).summary(kept_spending.price_of(plan))

    def attempts(self, run: Run) -> list[AttemptReport]:
        """All starts that have reported, the first one first."""
        return [self._attempt(run, number) for number in reports.attempts(self._store, run.run_id)]

    def _attempt(self, run: Run, number: int) -> AttemptReport:
        def read() -> AttemptReport:
            end = reports.read_end(self._store, run.run_id, number)
            return AttemptReport(number, reports.read_heartbeat(self._store, run.run_id, number), end)

        return self._kept.get(("attempt", run.run_id, number), read, lambda found: found.end is not None)

    def checkpoints(self, plan: Plan) -> list[Checkpoint]:
        """The complete checkpoints, the newest first."""
        folder = f"{Artifact(self._store, 'pretrain', plan.step('pretrain').fingerprint).path}/checkpoints"
        names = [name for name in self._store.names(folder) if name.startswith("step-")]
        found = [self._checkpoint(f"{folder}/{name}") for name in sorted(names, reverse=True)[:MAX_CHECKPOINTS]]
        return [checkpoint for checkpoint in found if checkpoint is not None]

    def _checkpoint(self, path: str) -> Checkpoint | None:
        def read() -> Checkpoint | None:
            try:
                manifest = json.loads(self._store.read(f"{path}/manifest.json"))
                num_bytes = sum(self._store.files(path).values())
            except (StoreError, ValueError):  # it is being written, or was just removed
                return None
            return Checkpoint(manifest["step"], num_bytes, manifest.get("validation_loss"))

        return self._kept.get(("checkpoint", path), read, lambda found: found is not None)
