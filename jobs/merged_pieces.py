"""Files of pieces put together, so that who wants one piece of each file reads fewer and larger ones.

A unit of a phase wants one piece of each of the files that the phase before it has written: reads grow with the product
of the two. Where that is too much, units in between take some of the files, and some of their pieces, each: the files
are cut into groups, the pieces into ranges, and a unit of each group and range puts every piece of its range together.
A file is then read once for each range, in one go, and who wants a piece reads one of each group.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Self

import pyarrow as pa

from jobs.unit import Unit


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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value)


def merge_pieces(unit: Unit, table: str, into: str, parts: list[str], first: int, stop: int) -> int:
    """Put each of the pieces [first, stop) of `table` in the files `parts` together, into a file of the table `into`;
    how many rows they have. The compressed pieces are in memory twice."""
    num_rows = 0

    def together(files: list[Iterator[pa.Table]]) -> Iterator[pa.Table]:
        nonlocal num_rows
        for pieces in zip(*files, strict=True):
            merged = pa.concat_tables(pieces)
            num_rows += merged.num_rows
            yield merged

    with ExitStack() as opened:
        files = [opened.enter_context(unit.artifact.open_scratch(table, part)) for part in parts]
        pieces = together([file.some(first, stop) for file in files])
        unit.write_scratch_pieces(into, files[0].schema, pieces)
    return num_rows


def _bounds(number: int, parts: int) -> list[int]:
    return [number * part // parts for part in range(parts + 1)]


def _name(group: int, number: int) -> str:
    return f"{group:05d}-{number:05d}"
