"""The contract of measures: a measure names its columns and fills them for a batch of documents."""

from typing import Protocol

import pyarrow as pa

from dataprep.measures.batch import Batch


class Measure(Protocol):
    """Columns of `attributes`. Filters hold them against thresholds, so that another threshold measures nothing anew.

    What a rule divides is kept as two integers, numerator and denominator. A float is rounded to an integer of a
    stated unit before it is kept: its last digits differ between machines, and decisions would with them.
    """

    def fields(self) -> list[pa.Field]:
        """The columns, not nullable, by names that no other measure has."""
        ...

    def columns(self, batch: Batch) -> list[pa.Array]:
        """One array for each of `fields`, one row for each document."""
        ...


def counts(*names: str) -> list[pa.Field]:
    """Columns of int64, not nullable."""
    return [pa.field(name, pa.int64(), nullable=False) for name in names]
