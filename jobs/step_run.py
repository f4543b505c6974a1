"""One step from the driver's side: which units are still to do, their sums, the commit."""

import json
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from dataprep.tally import Tally
from jobs.ending import EndingSignals
from jobs.executor import Executor
from jobs.unit import UnitTask
from seedbed.artifact import Artifact, FileEntry, Report, content_digest, write_file
from seedbed.errors import ConservationError
from seedbed.plan import Plan
from seedbed.progress import Progress
from seedbed.state import StateDirectory

MAP = "map"
"""The name of the phase of steps that have only one."""


class Cluster(Protocol):
    """Where units are done."""

    def start(self) -> None: ...

    def executor(self) -> Executor: ...


class Reports(Protocol):
    """Whom a step tells what others may want to see of it: `jobs.reporter.Reporter`."""

    def following(self, path: Path) -> AbstractContextManager[None]: ...

    def print_of_rank(self, number: int, data: bytes) -> None: ...


class Phase(Protocol):
    """Does the units of a phase, all with the same arguments; the sum of their reports. `name` is the phase's where it
    is not the function's."""

    def __call__(self, function: str, units: list[str], name: str | None = None, **arguments: object) -> Report: ...


class NoReports:
    """For steps that run without a driver."""

    def following(self, path: Path) -> AbstractContextManager[None]:
        return nullcontext()

    def print_of_rank(self, number: int, data: bytes) -> None:
        pass


@dataclass
class StepRun:
    """What a step's `run` function works with. Its last call is `commit`."""

    artifact: Artifact
    version: int
    parents: dict[str, Artifact]
    config: dict[str, Any]
    software: dict[str, str]
    state: StateDirectory
    cluster: Cluster  # starts only when a unit is to do: Ray takes seconds
    progress: Progress
    plan: Plan
    scratch_dir: str | None = None  # what units are given: see jobs.scratch
    signals: EndingSignals = field(default_factory=EndingSignals)
    over_budget: str | None = None  # why it may spend more than its budget
    reports: Reports = field(default_factory=NoReports)
    started: float = field(default_factory=time.monotonic)
    files: list[FileEntry] = field(default_factory=list)

    def input_shards(self) -> dict[str, str]:
        """The input shards in order, unit -> what leads the ids in it (hex): the units of every step that goes row by
        row. Each manifest hands them on to the next step's."""
        return {shard["unit"]: shard["prefix"] for shard in self._inherited_shards()}

    def _inherited_shards(self) -> list[dict[str, str]]:
        for parent in self.parents.values():
            manifest = parent.committed()
            if manifest.get("input_shards"):
                shards: list[dict[str, str]] = manifest["input_shards"]
                return shards
        return []

    def map(
        self,
        function: str,
        units: list[str],
        phase: str = MAP,
        arguments: dict[str, dict[str, Any]] | None = None,
        common: dict[str, Any] | None = None,
        num_gpus: int = 0,
    ) -> dict[str, Report]:
        """Do the units that were not done yet, in any order; the reports of all, by unit.

        `function` is "module:name" of a function from (Unit, **arguments of all, **arguments of the unit) to Report.
        """
        common = common or {}
        reports: dict[str, Report] = {}
        todo = []
        finished = self.artifact.finished_units(phase)
        for unit in units:
            done = self.artifact.report(phase, unit) if unit in finished else None
            if done is None:
                todo.append(self._task(function, phase, unit, common, (arguments or {}).get(unit, {}), num_gpus))
            else:
                reports[unit] = done
        named = None if phase == MAP else phase
        with self.progress.task(self.artifact.kind, len(units), done=len(reports), phase=named) as advance:

            def on_done(task: UnitTask, report: Report) -> None:
                reports[task.unit] = report
                advance(report)

            if todo:
                self.cluster.executor().run(todo, on_done, self.signals.stop_requested)
        for unit in units:
            self.files.extend(reports[unit].files)
        return {unit: reports[unit] for unit in units}

    def phases(self, module: str) -> Phase:
        """Those whose units are functions of one module, `name`_unit."""

        def phase(function: str, units: list[str], name: str | None = None, **arguments: object) -> Report:
            return total(self.map(f"{module}:{function}_unit", units, name or function, common=arguments))

        return phase

    def _task(
        self,
        function: str,
        phase: str,
        unit: str,
        common: dict[str, Any],
        arguments: dict[str, Any],
        num_gpus: int,
    ) -> UnitTask:
        return UnitTask(
            store_url=self.artifact.store.url,
            scratch_dir=self.scratch_dir,
            kind=self.artifact.kind,
            fingerprint=self.artifact.fingerprint,
            parents={kind: parent.fingerprint for kind, parent in self.parents.items()},
            # The list of files grows with the crawl, and each unit is told of its own.
            config={key: value for key, value in self.config.items() if key != "files"},
            phase=phase,
            unit=unit,
            function=function,
            common=common,
            arguments=arguments,
            num_gpus=num_gpus,
        )

    def check_takes_all(self, reports: dict[str, Report], parent: str, phase: str = MAP) -> None:
        """Raises ConservationError unless every shard took in exactly what `parent` put out."""
        for unit, report in reports.items():
            before = self.parents[parent].report(phase, unit)
            out = before.tally_out if before else Tally()
            if report.tally_in != out:
                raise ConservationError(
                    f"{self.artifact.kind} {unit}: took in {report.tally_in}, but {parent} had put out {out}"
                )

    def write_file(self, path: str, data: bytes) -> None:
        self.files.append(write_file(self.artifact, path, data))

    def read_json(self, path: str) -> Any:
        """A JSON file of the artifact that a unit has written."""
        return json.loads(self.artifact.store.read(f"{self.artifact.path}/{path}"))

    def commit(self, total: Report, **more: Any) -> None:
        """Hold the step's sums against each other and make the artifact exist. `more` goes into the manifest."""
        total.check_conservation(self.artifact.kind)
        manifest = {
            "kind": self.artifact.kind,
            "version": self.version,
            "fingerprint": self.artifact.fingerprint,
            "parents": {kind: parent.fingerprint for kind, parent in self.parents.items()},
            "config": self.config,
            "software": self.software,
            "digest": content_digest(self.files),
            "records_in": total.tally_in.records,
            "records_out": total.tally_out.records,
            "dropped": {reason: tally.records for reason, tally in total.dropped.items()},
            "bytes_in": total.tally_in.num_bytes,
            "bytes_out": total.tally_out.num_bytes,
            "bytes_dropped": sum(tally.num_bytes for tally in total.dropped.values()),
            "bytes_cut": total.bytes_cut,
            "bytes_added": total.bytes_added,
            "checksum_in": f"{total.tally_in.checksum:016x}",
            "checksum_out": f"{total.tally_out.checksum:016x}",
            "counts": total.counts,
            "seconds": round(time.monotonic() - self.started, 3),
            "worker_seconds": round(total.seconds, 3),
            "committed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "made_by_run": self.plan.run_id,
            "input_shards": self._inherited_shards(),
            **more,
            "files": [vars(entry) for entry in sorted(self.files, key=lambda f: f.path)],
        }
        self.artifact.commit(manifest)


def total(reports: dict[str, Report]) -> Report:
    """The sum of reports; files are left out, the step has them."""
    result = Report()
    for report in reports.values():
        result = result + replace(report, files=[])
    return result


def check_handed_on(kind: str, what: str, before: Report, after: Report) -> None:
    """Raises ConservationError unless a phase has counted as much as the one before it, under the same name."""
    check_rows(kind, what, before.counts[what], after.counts[what])


def check_rows(kind: str, what: str, written: int, read: int) -> None:
    """Raises ConservationError unless a phase has read as many rows as the one before it has written."""
    if written != read:
        raise ConservationError(f"{kind}: {written:,} {what} were written, but {read:,} were read")
