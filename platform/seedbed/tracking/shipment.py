"""One run on its way to MLflow: everything that has not arrived, sent in an order that a kill at any point allows.

    plan, record, manifests --description--> params, tags, datasets, files --destination--> MLflow
    journal --training_shipment--> points --destination--> MLflow --> Memory (what has arrived)

Each thing is sent, then remembered as sent; see `seedbed.tracking.destination` for why sending twice does no harm.
"""

import calendar
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed import faults, runs
from seedbed.artifact import Artifact
from seedbed.launch import newest_launch
from seedbed.lease import Leases
from seedbed.plan import Plan
from seedbed.runs import RunRecord
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking import description, journal
from seedbed.tracking.destination import MAX_METRICS, Destination, Point
from seedbed.tracking.metrics import evaluation_values, group_values, manifest_values
from seedbed.tracking.place import tracking_place
from seedbed.tracking.settle import FAILED, FINISHED, KILLED, RUNNING
from seedbed.tracking.shipped import Memory, system_spool
from seedbed.tracking.system_metrics import point_step, sample_values
from seedbed.tracking.training_shipment import LOSS, TrainingShipment

_STATUS = {  # of our record -> as MLflow calls it
    runs.RUNNING: RUNNING,
    runs.FINISHED: FINISHED,
    runs.STOPPED: FINISHED,
    runs.FAILED: FAILED,
    runs.INTERRUPTED: KILLED,
}


@dataclass(frozen=True)
class Backlog:
    """What has not arrived."""

    num_records: int  # steps and events of the training
    num_samples: int  # of the machine
    steps: tuple[str, ...]  # committed steps

    @property
    def is_empty(self) -> bool:
        return not (self.num_records or self.num_samples or self.steps)

    def in_words(self) -> str:
        parts = [
            f"{self.num_records:,} lines of the training" if self.num_records else "",
            f"{self.num_samples:,} samples of the machine" if self.num_samples else "",
            f"what {', '.join(self.steps)} made" if self.steps else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing"


class Shipment:
    """A run, and what of it MLflow has. One process at a time: the caller holds `lease_name`."""

    def __init__(self, store: Store, state: StateDirectory, plan: Plan, owner: str | None = None) -> None:
        self._store, self._state, self._plan, self._owner = store, state, plan, owner
        self.place = tracking_place(plan, state)
        self._memory = Memory(state, plan.run_id, self.place.uri)
        self.shipped = self._memory.shipped
        self.is_wanted = plan.run.tracking.enabled
        self.final_wait_s = plan.run.tracking.final_wait_s
        self._destination: Destination | None = None
        self._journal = journal.journal_path(state.root, plan.step("pretrain").fingerprint)
        self._training = TrainingShipment(store, plan, self._journal, self._memory, owner)

    @classmethod
    def of_run(cls, store: Store, state: StateDirectory, run_id: str) -> "Shipment":
        """As the newest launch from this state directory places the run: a submitted one is tracked where its cluster
        says, under its owner's name. Raises StoreError."""
        plan, launch = runs.load_plan(store, run_id), newest_launch(state, run_id)
        return cls(store, state, plan) if launch is None else cls(store, state, launch.placed(plan), launch.owner)

    @staticmethod
    def lease_name(run_id: str) -> str:
        return f"track-{run_id}"

    def backlog(self) -> Backlog:
        """What is to be sent, counted without MLflow."""
        return Backlog(
            sum(1 for _ in journal.read_from(self._journal, self.shipped.journal_offset)),
            sum(1 for _ in journal.read_from(self._samples, self.shipped.system_offset)),
            tuple(kind for kind, _, _ in self._unsent_steps()),
        )

    def is_up_to_date(self) -> bool:
        """Whether a pass would change nothing in MLflow but, maybe, say that the run goes on."""
        record = self._record()
        status = self._status(record)
        return (
            self.shipped.complete
            and self.backlog().is_empty
            and self.shipped.described == self._described(record)[0]
            and status in (self.shipped.status, RUNNING)
        )

    def has_news(self) -> bool:
        """Whether the training or the machine has told more: two looks at files of this machine."""
        return _size(self._journal) > self.shipped.journal_offset or _size(self._samples) > self.shipped.system_offset

    def send(self, numbers_only: bool = False) -> None:
        """Send everything that is there, or what a training tells while it goes.

        Raises Unreachable and Refused, and StoreError; what has arrived by then is remembered.
        """
        record = self._record()
        if self.shipped.complete:
            self._memory.remember(complete=False)
        self._open(record)
        self._training.send(self._to, self._run)  # first: an artifact store that takes nothing holds up no curve
        self._send_samples(record)
        if not numbers_only:
            self._describe(record)
            self._send_steps()
            self._training.send(self._to, self._run)  # its end, which the step `pretrain` tells
            self._register()
            self._send_status(record)
        self._memory.remember(error=None, complete=not numbers_only)

    def fail(self, error: Exception) -> None:
        """Remember why the last pass did not get through."""
        self._memory.remember(error=str(error))

    def _record(self) -> RunRecord:
        record = runs.load(self._store, self._plan.run_id)
        return record or RunRecord(self._plan.run_id, self._plan.name, runs.now())

    # The run itself

    def _open(self, record: RunRecord) -> None:
        if self._destination is None:
            with self._state.lease("mlflow", lambda _: None):  # two that make one SQLite file would break each other
                if self.place.artifacts is not None:
                    self.place.artifacts.parent.mkdir(parents=True, exist_ok=True)
                self._destination = Destination(self.place.uri, self.place.experiment, self.place.artifacts)
            if self.shipped.run is not None and not self._destination.has_run(self.shipped.run):
                self._memory.forget()  # somebody began a new database at the same address
        if self.shipped.run is not None:
            return
        tags = {description.RUN_TAG: self._plan.run_id, description.KIND_TAG: description.RUN_KIND}
        found = self._destination.find_run(tags)
        if found is not None:  # made by another machine, or the state file was lost
            settled = self._destination.last_step(found, LOSS)
        else:
            found, settled = self._destination.create_run(self._plan.run_id, tags, _seconds(record.created_at)), 0
            faults.point("tracking.run.created")
        self._memory.remember(run=found, experiment_id=self._destination.experiment_id, settled_step=settled)

    @property
    def _to(self) -> Destination:
        assert self._destination is not None, "`send` opens it first"
        return self._destination

    @property
    def _run(self) -> str:
        assert self.shipped.run is not None, "`send` makes it first"
        return self.shipped.run

    def _described(self, record: RunRecord) -> tuple[str, dict[str, str], dict[str, str], dict[str, bytes]]:
        params = description.run_params(self._plan)
        tags = description.run_tags(self._plan, record, self._store, self._owner)
        files = description.run_files(self._plan, record, self._store)
        whole = [params, tags, {place: hashlib.sha256(data).hexdigest() for place, data in files.items()}]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest(), params, tags, files

    def _describe(self, record: RunRecord) -> None:
        digest, params, tags, files = self._described(record)
        if digest == self.shipped.described:
            return
        self._to.describe(self._run, params, tags)
        faults.point("tracking.description.sent")
        for place, data in files.items():
            self._to.upload(self._run, place, data)
        self._memory.remember(described=digest)

    def _status(self, record: RunRecord) -> str:
        state = runs.true_state(record, Leases(self._store, self._state))
        if state == runs.STOPPED and record.error is not None:
            return KILLED  # by its budget, before its end; `--until` is no error
        return _STATUS.get(state, RUNNING if state == runs.PLANNED else KILLED)

    def _send_status(self, record: RunRecord) -> None:
        status = self._status(record)
        if status == self.shipped.status:
            return
        ended = record.attempts[-1].get("ended_at") if record.attempts else None
        self._to.set_status(self._run, status, _seconds(ended) if ended else None)
        if status != RUNNING:
            tags = {description.RUN_TAG: self._plan.run_id, description.KIND_TAG: description.RUN_KIND}
            self._to.remove_twins(self._run, tags)
        self._memory.remember(status=status)

    # What the steps made

    def _unsent_steps(self) -> Iterator[tuple[str, Artifact, dict[str, Any]]]:
        """The committed steps that were not told of, up to the first that is not committed."""
        for step in self._plan.steps:
            if self.shipped.steps.get(step.kind) == step.fingerprint:
                continue
            artifact = Artifact(self._store, step.kind, step.fingerprint)
            manifest = artifact.manifest()
            if manifest is None:
                return
            yield step.kind, artifact, manifest

    def _send_steps(self) -> None:
        for kind, artifact, manifest in self._unsent_steps():
            time_ms = int(_seconds(manifest["committed_at"]) * 1000)
            values = list(manifest_values(manifest))
            if kind == "evaluate":
                values += [*evaluation_values(manifest["evaluation"]), *group_values(manifest["evaluation"])]
            self._to.log(self._run, [Point(name, value, time_ms, 0) for name, value in values])
            self._to.inputs(self._run, description.step_datasets(self._plan, artifact, manifest))
            for place, path in description.step_files(artifact, manifest).items():
                self._to.upload(self._run, place, self._store.read(path))
            self._to.upload(self._run, "run/funnel.json", description.funnel(self._manifests(until=kind)))
            faults.point(f"tracking.{kind}.sent")
            self._memory.remember(steps={**self.shipped.steps, kind: artifact.fingerprint})

    def _manifests(self, until: str) -> dict[str, dict[str, Any]]:
        found = {}
        for step in self._plan.steps:
            manifest = Artifact(self._store, step.kind, step.fingerprint).manifest()
            if manifest is not None:
                found[step.kind] = manifest
            if step.kind == until:
                break
        return found

    def _register(self) -> None:
        """The exported model as a version in the registry, once for each fingerprint."""
        fingerprint = self.shipped.steps.get("export")
        if fingerprint is None or self.shipped.model_version is not None:
            return
        export = Artifact(self._store, "export", fingerprint)
        config = self._plan.run.tracking
        name = config.registered_model or self._plan.name
        tags = {"seedbed.export": fingerprint}
        with Leases(self._store, self._state).hold(f"register-{fingerprint}"):  # runs may share one export
            version = self._to.register(name, config.alias, self._model_source(export), self._run, tags)
            faults.point("tracking.model.registered")
        evaluation = Artifact(self._store, "evaluate", self._plan.step("evaluate").fingerprint).manifest() or {}
        back = description.model_tags(self._plan, self._store, evaluation.get("evaluation", {}))
        self._to.tag_version(name, version, description.version_tags(self._to.version_tags(name, version), back))
        self._memory.remember(model_version=version)

    def _model_source(self, export: Artifact) -> str:
        """Where the registry finds the model: in the store, or with the run's artifacts.

        A server takes no folder of another machine as a model's source (server/handlers.py, _validate_source_run).
        """
        folder = f"{export.path}/model"
        local = self._store.local_path(folder)
        if local is None:
            return f"{self._store.url}/{folder}"
        if not self.place.is_server:
            return str(local.absolute())
        for path in sorted(local.iterdir()):
            self._to.upload_file(self._run, "model", path)
        return f"runs:/{self._run}/model"

    # The machine

    @property
    def _samples(self) -> Path:
        return system_spool(self._state, self._plan.run_id)

    def _send_samples(self, record: RunRecord) -> None:
        created_at = _seconds(record.created_at)
        batch: list[Point] = []
        end = self.shipped.system_offset
        for sample, offset in journal.read_from(self._samples, end):
            time_ms, at = int(sample["time"] * 1000), point_step(sample, created_at)
            points = [Point(name, value, time_ms, at) for name, value in sample_values(sample)]
            if len(batch) + len(points) > MAX_METRICS:
                self._send_sample_batch(batch, end)
                batch = []
            batch, end = batch + points, offset
        if batch:
            self._send_sample_batch(batch, end)

    def _send_sample_batch(self, batch: list[Point], end: int) -> None:
        self._to.log(self._run, batch)
        faults.point("tracking.system.sent")
        self._memory.remember(system_offset=end)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _seconds(stamp: str) -> float:
    """Seconds since 1970 of a time as runs and manifests say it."""
    return float(calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")))
