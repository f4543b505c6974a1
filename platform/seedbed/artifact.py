"""Artifacts: what a step made, a folder that is whole when its manifest is there.

steps/<kind>-<fingerprint>/
    <table>/<unit>.parquet      part files, one for each unit of work
    units/<phase>-<unit>.json   written after a unit's part files: that unit is done
    scratch/<table>/<unit>.pieces   what only the step itself reads (`seedbed.pieces`); gone after the commit
    manifest.json               written last. No manifest, no artifact
"""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataprep.digest import bytes_digest, table_digest
from dataprep.document_id import ascend
from dataprep.errors import CorruptDataError
from dataprep.tally import Tally
from seedbed import faults
from seedbed.errors import RUN_AGAIN, ConservationError, StoreError
from seedbed.fingerprint import canonical_json
from seedbed.pieces import PieceFile, pack
from seedbed.store import Store

SCRATCH_LAYOUT = b"2"
"""Raised where tables between phases get other names, columns or phases: what was begun with others is begun anew."""

ROW_GROUP_ROWS = 1024
"""Rows that are fetched together when single rows of a table are wanted."""


@dataclass(frozen=True)
class FileEntry:
    """One file of an artifact; `path` is relative to the artifact's folder."""

    path: str
    num_bytes: int
    digest: str
    num_rows: int | None = None
    volatile: bool = False  # holds times and rates: no part of the artifact's digest


@dataclass
class Report:
    """What one unit of work did. `counts` are added up over units; the tallies are held against each other."""

    tally_in: Tally = field(default_factory=Tally)
    tally_out: Tally = field(default_factory=Tally)
    dropped: dict[str, Tally] = field(default_factory=dict)
    bytes_cut: int = 0
    bytes_added: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    files: list[FileEntry] = field(default_factory=list)
    seconds: float = 0.0

    def check_conservation(self, where: str) -> None:
        """Raises ConservationError unless in = out + dropped, in rows, in ids and in bytes."""
        out = sum(self.dropped.values(), self.tally_out)
        bytes_in, bytes_out = self.tally_in.num_bytes + self.bytes_added, out.num_bytes + self.bytes_cut
        if self.tally_in.records != out.records:
            raise ConservationError(
                f"{where}: {self.tally_in.records:,} records in, but {self.tally_out.records:,} out and "
                f"{out.records - self.tally_out.records:,} dropped"
            )
        if self.tally_in.checksum != out.checksum:
            raise ConservationError(f"{where}: the ids that went in are not the ids that came out or were dropped")
        if bytes_in != bytes_out:
            raise ConservationError(
                f"{where}: {self.tally_in.num_bytes:,} bytes of text in and {self.bytes_added:,} added, but "
                f"{self.tally_out.num_bytes:,} kept, {self.bytes_cut:,} cut and "
                f"{out.num_bytes - self.tally_out.num_bytes:,} dropped"
            )

    def __add__(self, other: "Report") -> "Report":
        reasons = self.dropped.keys() | other.dropped.keys()
        names = self.counts.keys() | other.counts.keys()
        return Report(
            self.tally_in + other.tally_in,
            self.tally_out + other.tally_out,
            {r: self.dropped.get(r, Tally()) + other.dropped.get(r, Tally()) for r in sorted(reasons)},
            self.bytes_cut + other.bytes_cut,
            self.bytes_added + other.bytes_added,
            {n: self.counts.get(n, 0) + other.counts.get(n, 0) for n in sorted(names)},
            self.files + other.files,
            self.seconds + other.seconds,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "tally_in": self.tally_in.to_json(),
            "tally_out": self.tally_out.to_json(),
            "dropped": {reason: tally.to_json() for reason, tally in self.dropped.items()},
            "bytes_cut": self.bytes_cut,
            "bytes_added": self.bytes_added,
            "counts": self.counts,
            "files": [vars(entry) for entry in self.files],
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Report":
        return cls(
            Tally.from_json(value["tally_in"]),
            Tally.from_json(value["tally_out"]),
            {reason: Tally.from_json(tally) for reason, tally in value["dropped"].items()},
            value["bytes_cut"],
            value["bytes_added"],
            value["counts"],
            [FileEntry(**entry) for entry in value["files"]],
            value["seconds"],
        )


@dataclass(frozen=True)
class Artifact:
    """The folder of one artifact, committed or not."""

    store: Store
    kind: str
    fingerprint: str

    @property
    def path(self) -> str:
        return f"steps/{self.kind}-{self.fingerprint}"

    @property
    def _cure(self) -> str:
        return f"remove the folder {self.path} and run again"

    def manifest(self) -> dict[str, Any] | None:
        """What was committed, None where nothing was. Raises StoreError when the manifest cannot be read."""
        path = f"{self.path}/manifest.json"
        if not self.store.exists(path):
            return None
        try:
            manifest = json.loads(self.store.read(path))
        except ValueError as error:
            raise StoreError(f"{path} is not JSON ({error}): {self._cure}") from error
        if not isinstance(manifest, dict):
            raise StoreError(f"{path} is no manifest: {self._cure}")
        return manifest

    def is_committed(self) -> bool:
        """Whether there is a manifest: of a large artifact it takes a while to read."""
        return self.store.exists(f"{self.path}/manifest.json")

    def committed(self) -> dict[str, Any]:
        """The manifest of an artifact that must be there: a parent of what is running. Raises StoreError."""
        manifest = self.manifest()
        if manifest is None:
            raise StoreError(f"{self.path} is gone from {self.store.url}: {RUN_AGAIN} to make it anew")
        return manifest

    def commit(self, manifest: dict[str, Any]) -> None:
        """Make the artifact exist, then drop what only the step itself read."""
        faults.point(f"{self.kind}.manifest")
        self.store.write(f"{self.path}/manifest.json", json.dumps(manifest, indent=1).encode())
        self.store.delete(f"{self.path}/scratch")

    def begin(self) -> bool:
        """Get ready for a step's units; whether an older Seedbed had begun them, with a scratch that this one does not
        read: that is removed, and its finished units are done anew. Without scratch they stay."""
        layout, scratch = f"{self.path}/scratch/layout", f"{self.path}/scratch"
        if self.store.read_if_there(layout) == SCRATCH_LAYOUT:
            return False
        is_older = bool(self.store.files(scratch))
        if is_older:
            self.store.delete(f"{self.path}/units")
            self.store.delete(scratch)
        self.store.write(layout, SCRATCH_LAYOUT)
        return is_older

    def finished_units(self, phase: str) -> set[str]:
        """The units of a phase that are done."""
        names = self.store.names(f"{self.path}/units")
        return {n.removeprefix(f"{phase}-").removesuffix(".json") for n in names if n.startswith(f"{phase}-")}

    def report(self, phase: str, unit: str) -> Report | None:
        """What the unit did, None when it is still to be done."""
        path = f"{self.path}/units/{phase}-{unit}.json"
        if not self.store.exists(path):
            return None
        try:
            return Report.from_json(json.loads(self.store.read(path)))
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptDataError(f"{path} is damaged ({error!r}): {self._cure}") from error

    def read_table(self, table: str, unit: str, columns: list[str] | None = None) -> pa.Table:
        """One part of a table. Raises CorruptDataError when its pages do not match their checksums."""
        with self.open_parquet(table, unit) as file:
            found = file.read(columns=columns, use_threads=False)
            return found if columns is None else found.select(columns)

    def read_rows(self, table: str, unit: str, ids: pa.Array, columns: list[str] | None = None) -> pa.Table:
        """The rows with these ids, ascending; only the row groups that hold one of them are read."""
        with self.open_parquet(table, unit) as file:
            rows = file.read_row_groups(_groups_with(file, ids), columns=columns, use_threads=False)
            return rows.filter(pc.is_in(rows["id"], ids))

    def read_rows_in_turn(
        self, table: str, unit: str, ids: pa.Array, columns: list[str] | None = None
    ) -> Iterator[pa.Table]:
        """The same, a row group after another: each is read once, and only one is in memory."""
        with self.open_parquet(table, unit) as file:
            for group in _groups_with(file, ids):
                rows = file.read_row_group(group, columns=columns, use_threads=False)
                yield rows.filter(pc.is_in(rows["id"], ids))

    @contextmanager
    def open_parquet(self, table: str, unit: str) -> Iterator[pq.ParquetFile]:
        """A part to read by row groups. Raises CorruptDataError, also where a page does not match its checksum.

        Read it without threads, and not by `pq.read_table`: Arrow's threads outlive the call, and one that lets go of
        Python's bytes while the process ends aborts it (Arrow 25: one in ten of those that read and leave at once).
        Where the store is a folder there are no such bytes: Arrow itself opens the file.
        """
        local = self.store.local_path(f"{self.path}/{table}/{unit}.parquet")
        with (
            self._opened(f"{table}/{unit}.parquet") as f,
            pq.ParquetFile(f if local is None else local, page_checksum_verification=True) as file,
        ):
            yield file

    def delete_scratch(self, table: str) -> None:
        """A table that no phase reads any more."""
        self.store.delete(f"{self.path}/scratch/{table}")

    def read_scratch(self, table: str, unit: str, columns: list[str] | None = None) -> pa.Table:
        """What a unit of an earlier phase of this step has written, all pieces of it. Raises CorruptDataError."""
        with self.open_scratch(table, unit) as file:
            return file.whole(columns)

    @contextmanager
    def open_scratch(self, table: str, unit: str) -> Iterator[PieceFile]:
        """The same, to read by pieces."""
        name = f"scratch/{table}/{unit}.pieces"
        with self._opened(name, read_ahead=False) as f:
            yield PieceFile(f, f"{self.path}/{name}", self._cure)

    @contextmanager
    def _opened(self, name: str, read_ahead: bool = True) -> Iterator[BinaryIO]:
        path = f"{self.path}/{name}"
        try:
            file = self.store.open(path, read_ahead)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise StoreError(f"{error}; {self._cure}") from error
            raise
        with file as f:
            try:
                yield f
            except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
                raise CorruptDataError(f"{path}: {error}; {self._cure}") from error


def _groups_with(file: pq.ParquetFile, ids: pa.Array) -> list[int]:
    """The row groups that hold one of these ids, ascending."""
    all_ids = file.read(columns=["id"], use_threads=False)["id"].combine_chunks()
    at = np.flatnonzero(pc.is_in(all_ids, ids).to_numpy(zero_copy_only=False))
    ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
    found: list[int] = np.unique(np.searchsorted(ends, at, side="right")).tolist()
    return found


def write_table(artifact: Artifact, table: str, unit: str, content: pa.Table, a_row_an_id: bool = True) -> FileEntry:
    """Write one part of a table and return its entry; its ids, where it has any, must ascend, `a_row_an_id`, or may
    come in any order and often.

    Raises ConservationError when an id stands twice or out of order, StoreError when the store does not take it.
    """
    content = content.combine_chunks()
    if a_row_an_id and "id" in content.column_names and not ascend(content["id"]):
        raise ConservationError(f"{artifact.path}/{table}/{unit}: ids stand twice or out of order")
    data = _parquet(content)
    path = f"{table}/{unit}.parquet"
    artifact.store.write(f"{artifact.path}/{path}", data)
    return FileEntry(path, len(data), table_digest(content), content.num_rows)


def write_scratch(artifact: Artifact, table: str, unit: str, schema: pa.Schema, pieces: Iterable[pa.Table]) -> None:
    """Write one part of a table that no artifact keeps, a piece for each of `pieces`, taken in turn."""
    artifact.store.write(f"{artifact.path}/scratch/{table}/{unit}.pieces", pack(schema, pieces))


def slices(content: pa.Table, sizes: list[int]) -> Iterator[pa.Table]:
    """The rows in turn, so many at a time."""
    start = 0
    for size in sizes:
        yield content.slice(start, size)
        start += size


def _parquet(content: pa.Table) -> bytes:
    sink = io.BytesIO()
    plain_text = ["text", "url", "id", "duplicate_of"]  # every value differs: a dictionary would only cost
    dictionary = [name for name in content.column_names if name not in plain_text]
    with pq.ParquetWriter(
        sink, content.schema, compression="zstd", use_dictionary=dictionary, write_page_checksum=True
    ) as writer:
        writer.write_table(content, row_group_size=ROW_GROUP_ROWS)
    return sink.getvalue()


def write_file(artifact: Artifact, path: str, data: bytes) -> FileEntry:
    """Write a file that is no table."""
    artifact.store.write(f"{artifact.path}/{path}", data)
    return FileEntry(path, len(data), bytes_digest(data))


def file_entry(artifact: Artifact, path: str, volatile: bool = False) -> FileEntry:
    """The entry of a file that something else has written into the artifact."""
    data = artifact.store.read(f"{artifact.path}/{path}")
    return FileEntry(path, len(data), bytes_digest(data), volatile=volatile)


def content_digest(files: list[FileEntry]) -> str:
    """One digest over an artifact's content: the same wherever and however often it was made."""
    return bytes_digest(canonical_json(sorted((f.path, f.digest) for f in files if not f.volatile)))[:32]
