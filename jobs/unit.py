"""One unit of work: what a step's function is given, and how what it wrote becomes final."""

import importlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs import compiled_kernels
from jobs.scratch import scratch_folder
from seedbed import faults
from seedbed.artifact import Artifact, FileEntry, Report, slices, write_file, write_scratch, write_table
from seedbed.store import Store


@dataclass(frozen=True)
class UnitTask:
    """Everything a worker on any machine needs to do one unit of a step, without open handles; small but for `common`,
    which goes apart from it (`jobs.executor`)."""

    store_url: str
    scratch_dir: str | None  # of the worker's node: see jobs.scratch
    kind: str
    fingerprint: str
    parents: dict[str, str]  # kind -> fingerprint
    config: dict[str, Any]
    phase: str
    unit: str
    function: str  # "package.module:name"
    common: dict[str, Any] = field(default_factory=dict)  # arguments of all units of the phase: one object
    arguments: dict[str, Any] = field(default_factory=dict)  # and of this one
    num_gpus: int = 0


class Unit:
    """The view of a step's function on its inputs and its output."""

    def __init__(self, task: UnitTask) -> None:
        store = Store(task.store_url)
        self.artifact = Artifact(store, task.kind, task.fingerprint)
        self.parents = {kind: Artifact(store, kind, name) for kind, name in task.parents.items()}
        self.config = task.config
        self.name = task.unit
        self.phase = task.phase
        self.scratch_dir = task.scratch_dir
        self.files: list[FileEntry] = []

    def staging(self) -> Path:
        """A folder of this node for what is not uploaded yet."""
        return scratch_folder(self.scratch_dir, "staging")

    def read(self, kind: str, table: str, columns: list[str] | None = None) -> pa.Table:
        """The part of a parent's table that stands beside this unit."""
        return self.parents[kind].read_table(table, self.name, columns)

    def write(self, table: str, content: pa.Table, a_row_an_id: bool = True) -> None:
        """Write this unit's part of a table of the artifact."""
        self.files.append(write_table(self.artifact, table, self.name, content, a_row_an_id))
        faults.point(f"{self.artifact.kind}.{self.phase}.part")

    def write_scratch(self, table: str, content: pa.Table, sizes: list[int] | None = None) -> None:
        """Write a part that only later phases of this step read, in pieces of so many rows where a unit of a later one
        wants exactly one of them."""
        sizes = [content.num_rows] if sizes is None else sizes
        self.write_scratch_pieces(table, content.schema, slices(content, sizes))

    def write_scratch_pieces(self, table: str, schema: pa.Schema, pieces: Iterable[pa.Table]) -> None:
        """The same, a piece after another: of those that are written only the compressed bytes are in memory."""
        write_scratch(self.artifact, table, self.name, schema, pieces)
        faults.point(f"{self.artifact.kind}.{self.phase}.part")

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file of the artifact that is no table."""
        self.files.append(write_file(self.artifact, path, data))
        faults.point(f"{self.artifact.kind}.{self.phase}.part")


def execute(task: UnitTask, common: dict[str, Any] | None = None) -> Report:
    """Do the unit, hold its sums against each other, and commit it by writing its report. `common` is the task's, where
    it came here apart from it."""
    started = time.monotonic()
    compiled_kernels.adopt()
    unit = Unit(task)
    module, _, name = task.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    report: Report = function(unit, **(task.common if common is None else common), **task.arguments)
    report.check_conservation(f"{task.kind} {task.phase} {task.unit}")
    report.files = unit.files
    report.seconds = time.monotonic() - started
    path = f"{unit.artifact.path}/units/{task.phase}-{task.unit}.json"
    unit.artifact.store.write(path, json.dumps(report.to_json()).encode())
    return report
