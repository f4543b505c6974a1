"""Tallies: what conservation is checked by. Rows, order-independent checksums of ids and of texts, and bytes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dataprep import document_id
from dataprep.kernels.text_buffers import column, text_buffers

_SEED = 0x7A11  # of the checksums alone, so that they have nothing to do with splits and samples
_TEXTS_SEED = 0x7A12


@dataclass(frozen=True)
class Tally:
    """Of a set of records: how many, the sum of their mixed ids modulo 2**64, how many bytes, and the checksum of
    their texts (`texts_checksum`), 0 where nobody looked at them."""

    records: int = 0
    checksum: int = 0
    num_bytes: int = 0
    texts: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        checksum, texts = (self.checksum + other.checksum) % (1 << 64), (self.texts + other.texts) % (1 << 64)
        return Tally(self.records + other.records, checksum, self.num_bytes + other.num_bytes, texts)

    def to_json(self) -> dict[str, Any]:
        # Checksums as text: JSON readers elsewhere keep 53 bits of a number.
        checksums = {"checksum": f"{self.checksum:016x}", "texts": f"{self.texts:016x}"}
        return {"records": self.records, "num_bytes": self.num_bytes, **checksums}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Tally":
        return cls(value["records"], int(value["checksum"], 16), value["num_bytes"], int(value["texts"], 16))


def tally(table: pa.Table, bytes_column: str | None, text_column: str | None = None) -> Tally:
    """The tally of the rows of `table`; without `bytes_column` and `text_column` it counts no bytes and no texts."""
    with np.errstate(over="ignore"):
        checksum = int(document_id.mix(table["id"], _SEED).sum(dtype=np.uint64))
    num_bytes = (pc.sum(table[bytes_column]).as_py() or 0) if bytes_column else 0
    texts = texts_checksum(table["id"], text_hashes(column(table, text_column))) if text_column else 0
    return Tally(table.num_rows, checksum, num_bytes, texts)


def texts_checksum(ids: pa.Array | pa.ChunkedArray, hashes: np.ndarray) -> int:
    """The sum modulo 2**64 of the hash of each text (`text_hashes`) times a number that its id gives.

    Another text under an id changes it, and so do two texts that change places.
    """
    factors = document_id.mix(ids, _TEXTS_SEED) | np.uint64(1)  # odd: then no two hashes give one product
    with np.errstate(over="ignore"):
        return int((hashes * factors).sum(dtype=np.uint64))


def text_hashes(text: pa.LargeStringArray | pa.LargeBinaryArray) -> np.ndarray:
    """uint64[rows]: XXH3-64 of each text."""
    data, offsets = text_buffers(text)
    view = data.data  # a memoryview: its slices copy nothing
    hashes = (xxhash.xxh3_64_intdigest(view[start:end]) for start, end in pairwise(offsets.tolist()))
    return np.fromiter(hashes, np.uint64, len(text))


def tally_by_reason(table: pa.Table, bytes_column: str | None) -> dict[str, Tally]:
    """A tally for each reason in `table`, by the reason's name; rows without a reason are left out."""
    tallies = {}
    for reason in sorted(filter(None, pc.unique(table["reason"]).to_pylist())):
        tallies[reason] = tally(table.filter(pc.equal(table["reason"], reason)), bytes_column)
    return tallies
