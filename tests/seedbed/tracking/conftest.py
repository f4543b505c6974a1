"""A run whose training is written by hand, line by line: what the driver and the ranks would leave, without them."""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seedbed import runs
from seedbed.artifact import Artifact
from seedbed.plan import Plan, make_plan
from seedbed.runfile.load import load_run, write_resolved
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking import journal

FIELDS = {  # metric -> field of the record that it shows as it stands
    "train/loss": "loss",
    "train/learning_rate": "learning_rate",
    "train/gradient_norm": "gradient_norm",
    "train/tokens": "tokens",
    "speed/step_seconds": "seconds",
    "speed/tokens_per_second": "tokens_per_second",
    "validation/loss": "validation_loss",
}

Row = tuple[int, int, float]
"""Step, time in milliseconds, value."""


@dataclass
class TrackedRun:
    """A run in a store, and what its training tells. `taken` is what each attempt took, `stayed` what stayed."""

    store: Store
    state: StateDirectory
    plan: Plan
    taken: list[list[dict[str, Any]]] = field(default_factory=list)
    stayed: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        return self.plan.run_id

    @property
    def journal(self) -> Path:
        return journal.journal_path(self.state.root, self.plan.step("pretrain").fingerprint)

    def tell(self, **line: Any) -> None:
        journal.append(self.journal, line)

    def begin(self, at: int = 0) -> None:
        """A driver starts the ranks, which take up the checkpoint of step `at`."""
        self.tell(event="driver_started", run=self.run_id, cluster={"training_ranks": 2}, time=time.time())
        self.restart(at)

    def restart(self, at: int) -> None:
        time.sleep(0.002)  # an attempt is known by the millisecond in which it started
        self.tell(event="started", num_ranks=2, time=time.time())
        self.tell(event="taken_up", step=at, time=time.time())
        self.taken.append([])
        self.stayed = {step: record for step, record in self.stayed.items() if step <= at}

    def step(self, number: int) -> None:
        """One optimizer step, validated each tenth."""
        record = {
            "step": number,
            "time": time.time(),
            "loss": 8.0 - number * 1e-3 + len(self.taken) * 1e-6,
            "learning_rate": 1e-3 / number,
            "gradient_norm": 0.1 + number * 1e-7,
            "tokens": number * 64,
            "seconds": 0.001,
            "tokens_per_second": 64_000.0 + number,
            "samples": [number * 4 - 4, number * 4],
        }
        if number % 10 == 0:
            record["validation_loss"] = record["loss"] + 0.5
        self.taken[-1].append(record)
        self.stayed[number] = record
        self.tell(**record)

    def steps(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.step(number)

    def finish(self) -> None:
        self.tell(event="finished", time=time.time())
        self.tell(event="driver_ended", time=time.time())
        self.set_state(runs.FINISHED)

    def set_state(self, state: str) -> None:
        record = runs.load(self.store, self.run_id)
        record.end_attempt(state) if state != runs.RUNNING else record.begin_attempt()
        runs.save(self.store, record)

    def commit(self, kind: str, files: dict[str, bytes] | None = None, **more: Any) -> None:
        """A step's artifact, with nothing in it but `files`."""
        artifact = Artifact(self.store, kind, self.plan.step(kind).fingerprint)
        for path, data in (files or {}).items():
            self.store.write(f"{artifact.path}/{path}", data)
        sums = {"records_in": 9, "records_out": 7, "dropped": {"too_short": 2}, "bytes_in": 90, "bytes_out": 70}
        manifest = {
            "kind": kind,
            "digest": "0123456789abcdef" * 2,
            "bytes_cut": 0,
            "counts": {"train_tokens": 640, "validation_tokens": 64, "validation_bytes": 256},
            "seconds": 1.5,
            "committed_at": "2026-01-02T03:04:05Z",
            "files": [{"path": path} for path in files or {}],
        }
        artifact.commit(sums | manifest | more)

    def commit_data(self) -> None:
        """Every step before the training."""
        for step in self.plan.steps:
            if step.kind == "pretrain":
                return
            self.commit(step.kind, {"tokenizer.json": b"{}"} if step.kind == "tokenizer" else None)

    def commit_model(self) -> None:
        """The training and what follows."""
        lines = "".join(json.dumps(record) + "\n" for _, record in sorted(self.stayed.items()))
        mixture = {"docs": {"tokens": 640, "epochs": 1.25}}
        self.commit("pretrain", {"metrics.jsonl": lines.encode()}, mixture=mixture)
        scores = {"validation_loss": 5.0, "perplexity": 148.4, "bits_per_byte": 2.5}
        scores |= {"bigram_loss": 4.5, "unigram_loss": 7.0}
        groups = [{"name": name, "loss": 5.5, "bits_per_byte": 2.75} for name in ("x.example", "(none)")]
        self.commit("evaluate", evaluation=scores | {"by": {"domain": {"groups": groups}}})
        self.commit(
            "export", {"model/config.json": b"{}", "model/model.safetensors": b"weights", "model/README.md": b"#"}
        )


@pytest.fixture
def track_run(run_file: Path, tmp_path: Path) -> Callable[..., TrackedRun]:
    """Makes runs in one store; keywords are keys of `tracking`, `name` the run's. Another name, another training."""

    def make(name: str = "tiny", **tracking: object) -> TrackedRun:
        values = {"mlflow_uri": "null", **tracking}
        changed = [f"name={name}", f"training.seed={len(name)}"]
        run = load_run(run_file, changed + [f"tracking.{key}={value}" for key, value in values.items()])
        store, state = Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state")
        plan = make_plan(run, store)
        record = runs.RunRecord(plan.run_id, run.name, runs.now())
        record.begin_attempt()
        runs.save_plan(store, plan, write_resolved(run))
        runs.save(store, record)
        return TrackedRun(store, state, plan)

    return make


def rows(records: list[dict[str, Any]]) -> dict[str, list[Row]]:
    """What MLflow should have of these records, in the metrics that show a field as it stands."""
    found = defaultdict(list)
    for record in records:
        for metric, name in FIELDS.items():
            if name in record:
                found[metric].append((record["step"], int(record["time"] * 1000), float(record[name])))
    return {metric: sorted(found_rows) for metric, found_rows in found.items()}


class Mlflow:
    """What an MLflow has, read through its client."""

    def __init__(self, uri: str) -> None:
        from mlflow.tracking.client import MlflowClient

        self.client = MlflowClient(uri, uri)

    def find(self, run_id: str, kind: str) -> list[Any]:
        """The runs of one of ours, `run` or `attempt`, oldest first."""
        condition = f"tags.`seedbed.run` = '{run_id}' and tags.`seedbed.kind` = '{kind}'"
        experiments = [experiment.experiment_id for experiment in self.client.search_experiments()]
        found = self.client.search_runs(experiments, condition)
        return sorted(found, key=lambda run: run.info.start_time)

    def rows(self, run: Any, *metrics: str) -> dict[str, list[Row]]:
        """The whole history."""
        history = {name: self.client.get_metric_history(run.info.run_id, name) for name in metrics or run.data.metrics}
        return {name: sorted((p.step, p.timestamp, p.value) for p in points) for name, points in history.items()}

    def check(self, tracked: TrackedRun) -> Any:
        """One run with each step that stayed once, an attempt for each start with all that it took; the run."""
        [run] = self.find(tracked.run_id, "run")
        stayed = [tracked.stayed[number] for number in sorted(tracked.stayed)]
        assert self.rows(run, *rows(stayed)) == rows(stayed)
        attempts = self.find(tracked.run_id, "attempt")
        assert [self.rows(attempt, *rows(taken)) for attempt, taken in zip(attempts, tracked.taken, strict=True)] == [
            rows(taken) for taken in tracked.taken
        ]
        for one in (run, *attempts):
            for name, history in self.rows(one).items():
                if not name.startswith("system/"):
                    assert len({step for step, _, _ in history}) == len(history), f"{name}: a step stands twice"
        for attempt in attempts:
            assert attempt.data.tags["mlflow.parentRunId"] == run.info.run_id
        return run


@pytest.fixture
def mlflow_of() -> type[Mlflow]:
    """Opens the MLflow at an address."""
    return Mlflow
