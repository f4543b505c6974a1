"""A training on its way to MLflow: the journal, folded into steps, to the attempts that took them and to the run.

journal --Lineage--> steps --metrics--> points --outbox--> destination, then Memory
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed import faults
from seedbed.artifact import Artifact
from seedbed.plan import Plan
from seedbed.scaling.flops import model_flops_per_token
from seedbed.store import Store
from seedbed.tracking import description, journal
from seedbed.tracking.destination import MAX_METRICS, Destination, Point
from seedbed.tracking.metrics import RunFacts, spending_values, step_values
from seedbed.tracking.settle import Attempt, Lineage, Step
from seedbed.tracking.shipped import Memory

LOSS = "train/loss"  # every step has it, so it tells which steps stand in a run
SPENDING_EVENT = "spending"  # what the training has spent by then: `jobs.pretrain.budget_watch`
_METRICS_FILE = "metrics.jsonl"  # of a committed `pretrain`: a line for each step


@dataclass
class _Outbox:
    """Points on their way, a list for each step, and what is known once they have arrived."""

    attempts: dict[str, list[list[Point]]] = field(default_factory=dict)
    run: list[list[Point]] = field(default_factory=list)
    num_points: int = 0
    settled_step: int = 0

    def add(self, to: list[list[Point]], points: list[Point]) -> None:
        to.append(points)
        self.num_points += len(points)


class TrainingShipment:
    """One reader of one journal, for as long as its process lives."""

    def __init__(self, store: Store, plan: Plan, journal_file: Path, memory: Memory, owner: str | None = None) -> None:
        self._store, self._plan, self._journal, self._owner = store, plan, journal_file, owner
        self._memory, self._shipped = memory, memory.shipped
        self._lineage = Lineage()
        self._offset = 0  # how far the lineage has read; it reads from the start, whatever was sent before
        self._attempts: dict[str, Attempt] = {}
        self._outbox = _Outbox()
        self._ended = False  # the lineage has heard of the training's end

    def send(self, to: Destination, run: str) -> None:
        """Send what the journal tells since the last time, and how attempts ended. Raises Unreachable and Refused."""
        self._to, self._run = to, run
        self._send_journal()
        self._send_end_of_training()
        self._send_attempts()

    def _facts(self) -> RunFacts:
        shards = Artifact(self._store, "shards", self._plan.step("shards").fingerprint).manifest()
        counts = shards["counts"] if shards else {}
        return RunFacts(
            model_flops_per_token(self._plan.run.model),
            counts.get("validation_tokens"),
            counts.get("validation_bytes"),
        )

    def _send_journal(self) -> None:
        self._flush()  # what a pass before this one could not send
        facts = None
        for line, offset in journal.read_from(self._journal, self._offset):
            facts = facts or self._facts()
            is_new = offset > self._shipped.journal_offset
            step, settled = self._lineage.feed(line)
            self._offset = offset
            attempt = self._lineage.attempt
            if attempt is not None and attempt.run == self._plan.run_id:
                self._attempts.setdefault(attempt.key, attempt)
                if step is not None and is_new:
                    mine = self._outbox.attempts.setdefault(attempt.key, [])
                    self._outbox.add(mine, _points(step, facts, settled=False))
            self._put(settled, facts)
            if is_new and line.get("event") == SPENDING_EVENT:
                self._outbox.add(self._outbox.run, _spending_points(line))
            if self._outbox.num_points >= MAX_METRICS:
                self._flush()
        self._flush()

    def _put(self, settled: list[Step], facts: RunFacts) -> None:
        for step in settled:
            number = step.record["step"]
            if number > self._shipped.settled_step:
                self._outbox.add(self._outbox.run, _points(step, facts, settled=True))
                self._outbox.settled_step = number

    def _send_end_of_training(self) -> None:
        """A committed `pretrain` tells every step, also what was taken on another machine, or for another run."""
        if self._ended or self._shipped.steps.get("pretrain") is None:
            return
        pretrain = Artifact(self._store, "pretrain", self._plan.step("pretrain").fingerprint)
        lines = self._store.read(f"{pretrain.path}/{_METRICS_FILE}").splitlines()
        self._put(self._lineage.finish([json.loads(line) for line in lines]), self._facts())
        self._flush()
        self._ended = True

    def _flush(self) -> None:
        faults.point("tracking.metrics.before")
        for key, points in self._outbox.attempts.items():
            self._send_points(self._attempt_run(self._attempts[key]), points)
        self._send_points(self._run, self._outbox.run)
        if self._outbox.num_points:
            faults.point("tracking.metrics.sent")
        settled = max(self._shipped.settled_step, self._outbox.settled_step)
        offset = max(self._shipped.journal_offset, self._offset)
        if (settled, offset) != (self._shipped.settled_step, self._shipped.journal_offset):
            self._memory.remember(settled_step=settled, journal_offset=offset)
        self._outbox = _Outbox()

    def _send_points(self, run: str, steps: list[list[Point]]) -> None:
        """Whole steps at once: a run that has a step's loss has all of the step."""
        batch: list[Point] = []
        for points in steps:
            if len(batch) + len(points) > MAX_METRICS:
                self._to.log(run, batch)
                faults.point("tracking.batch.sent")
                batch = []
            batch = batch + points
        if batch:
            self._to.log(run, batch)

    def _attempt_run(self, attempt: Attempt) -> str:
        known = self._shipped.attempts.get(attempt.key)
        if known is None:
            tags = {description.RUN_TAG: self._plan.run_id, description.ATTEMPT_TAG: attempt.key}
            found = self._to.find_run(tags)
            if found is None:
                attempts = {description.RUN_TAG: self._plan.run_id, description.KIND_TAG: description.ATTEMPT_KIND}
                name = f"{self._plan.run_id} attempt {self._to.count_runs(attempts) + 1}"
                tags = description.attempt_tags(attempt, self._run, self._owner)
                found = self._to.create_run(name, tags, attempt.started_at)
                faults.point("tracking.attempt.created")
            self._to.describe(found, description.attempt_params(attempt), {})
            known = {"run": found, "told": None}
            self._memory.remember(attempts={**self._shipped.attempts, attempt.key: known})
        return str(known["run"])

    def _send_attempts(self) -> None:
        """Where the attempts began and how they ended."""
        for attempt in self._attempts.values():
            run = self._attempt_run(attempt)
            told = [attempt.status, attempt.first_step]
            if self._shipped.attempts[attempt.key]["told"] != told:
                self._to.describe(run, {}, description.ended_tags(attempt))
                self._to.set_status(run, attempt.status, attempt.ended_at)
                self._memory.remember(attempts={**self._shipped.attempts, attempt.key: {"run": run, "told": told}})


def _points(step: Step, facts: RunFacts, settled: bool) -> list[Point]:
    number, time_ms = step.record["step"], int(step.record["time"] * 1000)
    return [Point(name, value, time_ms, number) for name, value in step_values(step, facts, settled)]


def _spending_points(event: dict[str, Any]) -> list[Point]:
    """Of the run, as it is the whole training's. The step never goes back: where steps are lost, the count stays."""
    number, time_ms = event["steps_taken"], int(event["time"] * 1000)
    return [Point(name, value, time_ms, number) for name, value in spending_values(event)]
