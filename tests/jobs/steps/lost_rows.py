"""Rows that are lost between two phases of a step."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest

from seedbed.artifact import Artifact
from seedbed.pieces import PieceFile


def lose_the_first_row(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """From now on whatever is read of a file of `table`, a table in scratch, lacks a row."""
    real = Artifact.open_scratch

    @contextmanager
    def open_scratch(artifact: Artifact, name: str, unit: str) -> Iterator[PieceFile]:
        with real(artifact, name, unit) as file:
            if name == table:
                file.__class__ = WithoutTheFirstRow
            yield file

    monkeypatch.setattr(Artifact, "open_scratch", open_scratch)


class WithoutTheFirstRow(PieceFile):
    """All that is read of it goes through `some`."""

    def some(self, first: int, stop: int) -> Iterator[pa.Table]:
        left = 1
        for piece in super().some(first, stop):
            yield piece.slice(left)
            left -= min(left, piece.num_rows)
