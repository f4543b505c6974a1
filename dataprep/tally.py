"""Tallies: what conservation is checked by. Rows, an order-independent checksum of their ids, and bytes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id

_SEED = 0x7A11  # of the checksum alone, so that it has nothing to do with splits and samples


@dataclass(frozen=True)
class Tally:
    """Of a set of records: how many, the sum of their mixed ids modulo 2**64, and how many bytes."""

    records: int = 0
    checksum: int = 0
    num_bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        checksum = (self.checksum + other.checksum) % (1 << 64)
        return Tally(self.records + other.records, checksum, self.num_bytes + other.num_bytes)

    def to_json(self) -> dict[str, Any]:
        # The checksum as text: JSON readers elsewhere keep 53 bits of a number.
        return {"records": self.records, "checksum": f"{self.checksum:016x}", "num_bytes": self.num_bytes}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Tally":
        return cls(value["records"], int(value["checksum"], 16), value["num_bytes"])


def tally(table: pa.Table, bytes_column: str | None) -> Tally:
    """The tally of the rows of `table`; without a `bytes_column` it counts no bytes."""
    with np.errstate(over="ignore"):
        checksum = int(document_id.mix(table["id"], _SEED).sum(dtype=np.uint64))
    num_bytes = (pc.sum(table[bytes_column]).as_py() or 0) if bytes_column else 0
    return Tally(table.num_rows, checksum, num_bytes)


def tally_by_reason(table: pa.Table, bytes_column: str | None) -> dict[str, Tally]:
    """A tally for each reason in `table`, by the reason's name; rows without a reason are left out."""
    tallies = {}
    for reason in sorted(filter(None, pc.unique(table["reason"]).to_pylist())):
        tallies[reason] = tally(table.filter(pc.equal(table["reason"], reason)), bytes_column)
    return tallies
