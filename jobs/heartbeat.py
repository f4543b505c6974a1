"""What a heartbeat says: how far the run is, from what draws the bar and from the training's journal."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedbed.plan import Plan
from seedbed.progress import Snapshot
from seedbed.state import StateDirectory
from seedbed.time_left import run_seconds_left
from seedbed.tracking import journal
from seedbed.tracking.place import tracking_place
from seedbed.tracking.shipped import Memory

NO_RANKS = ("driver_started", "restart", "finished", "driver_ended")
"""Events of the journal after which no rank is there until the next `placed`."""


class Training:
    """What the journal tells of a training, as far as the heartbeat says it. One thread asks it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0
        self.record: dict[str, Any] = {}
        self.validation_loss: float | None = None
        self.checkpoint_step: int | None = None
        self.spending: dict[str, Any] | None = None
        self.restarts = 0
        self.nodes: list[str] = []  # of each rank, while there are ranks

    def look(self) -> None:
        for line, offset in journal.read_from(self._path, self._offset):
            self._hear(line)
            self._offset = offset

    def _hear(self, line: dict[str, Any]) -> None:
        event = line.get("event")
        if event is None:
            self.record = line
            if line.get("validation_loss") is not None:
                self.validation_loss = line["validation_loss"]
        elif event in ("checkpoint", "taken_up") and line["step"]:
            self.checkpoint_step = line["step"]
        elif event == "spending":
            self.spending = {key: value for key, value in line.items() if key not in ("event", "time")}
        elif event == "placed":
            self.nodes = line["nodes"]
        elif event == "restart":
            self.restarts += 1
        if event in NO_RANKS:
            self.nodes = []

    def report(self, num_steps: int) -> dict[str, Any]:
        """The newest record, and beside it what it does not say itself."""
        more = {"validation_loss": self.validation_loss, "restarts": self.restarts, "num_steps": num_steps}
        return self.record | more


def work_on(units: Sequence[str | None], ranks: Sequence[str], here: str | None) -> dict[str, dict[str, int]]:
    """Ray node -> how many `units` and `ranks` are at work on it; a unit without a node is where there is but one:
    `here`."""
    found: dict[str, dict[str, int]] = {}
    for what, nodes in (("units", units), ("ranks", ranks)):
        for node, number in Counter(node or here for node in nodes).items():
            if node is not None:
                found.setdefault(node, {})[what] = number
    return found


def tracked_at(plan: Plan, state: StateDirectory) -> dict[str, str | None] | None:
    """`uri`, `experiment_id` and `run` of the run in MLflow, as soon as its server has it; None where no server does.

    The shipper notes them in the state directory: the driver knows no MLflow.
    """
    if not plan.run.tracking.enabled:
        return None
    place = tracking_place(plan, state)
    shipped = Memory(state, plan.run_id, place.uri).shipped
    if not place.is_server or shipped.run is None:
        return None
    return {"uri": place.uri, "experiment_id": shipped.experiment_id, "run": shipped.run}


def how_far(
    plan: Plan, until: str | None, done: Sequence[str], now: Snapshot, training: Training | None
) -> dict[str, Any]:
    """The part of a heartbeat that tells of the run; what is not known is None.

    `step`, `phase`; `done` of `total` in `unit`s; `rate` in `rate_unit`; `step_seconds_left` of this piece of work and
    `seconds_left` of the run; `steps_done`; `training` (the newest record, `num_steps`, `restarts`), `spending`,
    `checkpoint_step`.
    """
    rate, rate_unit = now.records_per_second, "records/s"
    if training is not None and now.step == "pretrain":
        rate, rate_unit = training.record.get("tokens_per_second"), "tokens/s"
    return {
        "step": now.step,
        "phase": now.phase,
        "done": now.done,
        "total": now.total,
        "unit": now.unit,
        "rate": rate,
        "rate_unit": None if rate is None else rate_unit,
        "step_seconds_left": now.seconds_left,
        "seconds_left": run_seconds_left(plan, done, until, now.step, now.seconds_left),
        "steps_done": list(done),
        "training": None if training is None else training.report(plan.run.training.num_steps),
        "spending": None if training is None else training.spending,
        "checkpoint_step": None if training is None else training.checkpoint_step,
    }
