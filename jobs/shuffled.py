"""Tables that units of one phase write for units of the next, each of which wants one piece of every file.

Reads grow with the product of the two. Where that is too much, units in between take some of the files, and some of
their pieces, each: the files are cut into groups, the pieces into ranges, and a unit of each group and range puts every
piece of its range together. A file is then read once for each range, in one go, and who wants a piece reads one of each
group.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from jobs.step_run import StepRun, check_rows, total
from jobs.unit import Unit
from seedbed.artifact import Artifact, Report

MERGED_PIECES = 1_000_000
"""Pieces of all files of a table, from which they are merged before they are read."""

SMALL_PIECES, SMALL_PIECE_BYTES = 10_000, 8 << 10
"""Or so many with no more bytes than that on average: to read a piece takes some 90 us of a store in a folder, to merge
8 KB of rows some 60 us, and what was merged is read faster. An object store takes longer for either."""

LEAST_SAVING = 2
"""How many times fewer reads there must be: of one file, or for one reader, there are none to save."""

MERGED_BYTES = 256 << 20
"""Of rows that one unit puts together, on average: compressed they are in memory twice."""

UNIT_PIECES, UNIT_FILES = 1_000_000, 512
"""At most, of a unit: a piece takes 180 bytes of memory and 5 us, however small it is, and files are open at once."""


@dataclass(frozen=True)
class Merging:
    """The bounds of each group of files and each range of pieces, from 0 to the number of all."""

    files: list[int]
    pieces: list[int]

    @classmethod
    def of(cls, num_files: int, num_pieces: int, num_bytes: int, unit_bytes: int) -> Self:
        """Groups and ranges for units of about `unit_bytes` each, of `num_bytes` in all.

        With r ranges and u units there are u / r groups: files are read r times each and pieces u / r times each, least
        often in all where files take as many reads as pieces. No unit has more than `UNIT_PIECES` and `UNIT_FILES`.
        """
        units = max(1.0, num_bytes / unit_bytes, num_files * num_pieces / UNIT_PIECES)
        ranges = min(max(1, round(math.sqrt(num_pieces * units / num_files))), num_pieces)
        groups = min(max(math.ceil(units / ranges), math.ceil(num_files / UNIT_FILES)), num_files)
        return cls(_bounds(num_files, groups), _bounds(num_pieces, ranges))

    @property
    def units(self) -> list[str]:
        return [_name(group, number) for group in range(len(self.files) - 1) for number in range(len(self.pieces) - 1)]

    @property
    def num_reads(self) -> int:
        """Of files by the units, and then of what they have put together."""
        return self.files[-1] * (len(self.pieces) - 1) + self.pieces[-1] * (len(self.files) - 1)

    def of_unit(self, unit: str) -> tuple[slice, slice]:
        """Its files, and its pieces."""
        group, number = map(int, unit.split("-"))
        return slice(*self.files[group : group + 2]), slice(*self.pieces[number : number + 2])

    def place(self, piece: int) -> tuple[list[str], int]:
        """The units that have put this piece together, of a group each, and its number in their files."""
        number = bisect_right(self.pieces, piece) - 1
        return [_name(group, number) for group in range(len(self.files) - 1)], piece - self.pieces[number]


@dataclass(frozen=True)
class Shuffled:
    """A table in scratch, by the units that have written a file of it each."""

    table: str
    parts: list[str]
    merging: Merging | None = None  # where the parts have put together what others had written

    def in_turn(self, artifact: Artifact, piece: int) -> Iterator[pa.Table]:
        """The piece with this number of each file that has it."""
        parts, number = (self.parts, piece) if self.merging is None else self.merging.place(piece)
        for part in parts:
            yield piece_of(artifact, self.table, part, number)

    def piece(self, artifact: Artifact, piece: int) -> pa.Table:
        """The same as one table."""
        return pa.concat_tables(self.in_turn(artifact, piece))


def piece_of(artifact: Artifact, table: str, part: str, piece: int) -> pa.Table:
    """One piece of one file."""
    with artifact.open_scratch(table, part) as file:
        return file.read(piece)


def merged(
    step: StepRun, written: Shuffled, num_pieces: int, num_rows: int, row_bytes: float, keep: bool = False
) -> Shuffled:
    """The table as it is best read: where its files have very many pieces in all, put together by units in between;
    what was written is gone then, unless others read it: `keep`. It has `num_rows` rows of some `row_bytes`, and each
    file `num_pieces` pieces.

    Raises ConservationError where a row is lost on the way.
    """
    merging = merging_of(len(written.parts), num_pieces, round(num_rows * row_bytes))
    if merging is None:
        return written
    if not num_rows:
        return Shuffled(written.table, written.parts[:1])  # any piece of any file says which columns it has
    # By the number of files: of a run that goes on with more or less memory, tables may be cut in other ways.
    name = f"{written.table}_{len(written.parts)}"
    found = Shuffled(f"{name}_merged", merging.units, merging)
    told = {"written": written, "merging": merging, "into": found.table}
    reports = step.map("jobs.shuffled:merge_unit", merging.units, f"{name}_merge", common=told)
    check_rows(step.artifact.kind, f"rows of {written.table}", num_rows, total(reports).counts["rows"])
    if not keep:
        step.artifact.delete_scratch(written.table)
    return found


def merging_of(num_files: int, num_pieces: int, num_bytes: int) -> Merging | None:
    """How a table of so many bytes is put together before it is read; None where it is read as it is."""
    pieces = num_files * num_pieces
    if pieces < MERGED_PIECES and (pieces < SMALL_PIECES or num_bytes > pieces * SMALL_PIECE_BYTES):
        return None
    merging = Merging.of(num_files, num_pieces, num_bytes, MERGED_BYTES)
    return merging if merging.num_reads * LEAST_SAVING <= pieces else None


def row_bytes(schema: pa.Schema) -> float:
    """Of a row, about: 16 for what has no fixed width."""
    widths = (field.type.bit_width / 8 if _has_width(field.type) else 16 for field in schema)
    return float(sum(widths))


def _has_width(kind: pa.DataType) -> bool:
    return pa.types.is_primitive(kind) or pa.types.is_fixed_size_binary(kind)


def merge_unit(unit: Unit, written: Shuffled, merging: Merging, into: str) -> Report:
    """Put some pieces of some files together. All compressed pieces are in memory twice, and the rows of one."""
    files, pieces = merging.of_unit(unit.name)
    num_rows = 0

    def together(parts: list[Iterator[pa.Table]]) -> Iterator[pa.Table]:
        nonlocal num_rows
        for of_each in zip(*parts, strict=True):
            rows = pa.concat_tables(of_each)
            num_rows += rows.num_rows
            yield rows

    with ExitStack() as opened:
        parts = [opened.enter_context(unit.artifact.open_scratch(written.table, part)) for part in written.parts[files]]
        rows = together([part.some(pieces.start, pieces.stop) for part in parts])
        unit.write_scratch_pieces(into, parts[0].schema, rows)
    return Report(counts={"rows": num_rows})


def _bounds(number: int, parts: int) -> list[int]:
    return [number * part // parts for part in range(parts + 1)]


def _name(group: int, number: int) -> str:
    return f"{group:05d}-{number:05d}"
