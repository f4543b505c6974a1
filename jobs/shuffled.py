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
8 KB of rows some 60 us, and what was merged is read faster."""

MERGED_BYTES = 256 << 20
"""Of rows that one unit puts together: compressed they are in memory twice."""


@dataclass(frozen=True)
class Merging:
    """The bounds of each group of files and each range of pieces, from 0 to the number of all."""

    files: list[int]
    pieces: list[int]

    @classmethod
    def of(cls, num_files: int, num_pieces: int, num_bytes: int, unit_bytes: int) -> Self:
        """Groups and ranges for units of about `unit_bytes` each, of `num_bytes` in all.

        With r ranges and u units there are u / r groups: files are read r times each and pieces u / r times each, least
        often in all where files take as many reads as pieces.
        """
        units = max(1.0, num_bytes / unit_bytes)
        ranges = min(max(1, round(math.sqrt(num_pieces * units / num_files))), num_pieces)
        groups = min(math.ceil(units / ranges), num_files)
        return cls(_bounds(num_files, groups), _bounds(num_pieces, ranges))

    @property
    def units(self) -> list[str]:
        return [_name(group, number) for group in range(len(self.files) - 1) for number in range(len(self.pieces) - 1)]

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
    num_bytes = round(num_rows * row_bytes)
    if not is_merged(len(written.parts), num_pieces, num_bytes):
        return written
    merging = Merging.of(len(written.parts), num_pieces, num_bytes, MERGED_BYTES)
    found = Shuffled(f"{written.table}_merged", merging.units, merging)
    told = {"written": written, "merging": merging, "into": found.table}
    reports = step.map("jobs.shuffled:merge_unit", merging.units, f"{written.table}_merge", common=told)
    check_rows(step.artifact.kind, f"rows of {written.table}", num_rows, total(reports).counts["rows"])
    if not keep:
        step.artifact.delete_scratch(written.table)
    return found


def is_merged(num_files: int, num_pieces: int, num_bytes: int) -> bool:
    """Whether a table of so many bytes is put together before it is read."""
    pieces = num_files * num_pieces
    return pieces >= MERGED_PIECES or (pieces >= SMALL_PIECES and num_bytes <= pieces * SMALL_PIECE_BYTES)


def merge_unit(unit: Unit, written: Shuffled, merging: Merging, into: str) -> Report:
    """Put some pieces of some files together. The compressed pieces are in memory twice."""
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
