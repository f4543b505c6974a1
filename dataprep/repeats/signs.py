"""Signs: 64-bit hashes that passages have in common if they are the same, counted over all shards.

The sign of a line or paragraph is the first half of its key, counted once a document. That of a window is the hash of
its minimiser, counted once a place of that n-gram in the texts: two windows that are the same have it from two places.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from dataprep.kernels.text_buffers import column
from dataprep.repeats.config import KINDS, SUBSTRING, RepeatsConfig
from dataprep.repeats.passages import passages

SIGNS = pa.schema(
    [
        pa.field("kind", pa.int8(), nullable=False),  # number in `config.KINDS`
        pa.field("sign", pa.uint64(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),  # of places, or of documents, in one shard
    ]
)
"""A row for each kind and sign of a shard, ascending."""


def signs(text: pa.LargeStringArray, config: RepeatsConfig) -> pa.Table:
    """`SIGNS` of the texts of a shard."""
    found: dict[int, list[np.ndarray]] = {kind: [] for kind in range(len(KINDS))}
    for some in passages(text, config):
        for kind, lines in some.lines.items():
            order = np.lexsort((lines.high, lines.documents))
            document, high = lines.documents[order], lines.high[order]
            is_new = np.ones(len(order), np.bool_)
            is_new[1:] = (np.diff(document) != 0) | (high[1:] != high[:-1])
            found[kind].append(high[is_new])
        if some.runs is not None:
            found[SUBSTRING].append(some.runs.minima)
    parts = []
    for kind, arrays in found.items():
        if arrays:
            sign, number = np.unique(np.concatenate(arrays), return_counts=True)
            parts.append(_table(np.full(len(sign), kind, np.int8), sign, number))
    return pa.concat_tables(parts) if parts else SIGNS.empty_table()


def _table(kind: np.ndarray, sign: np.ndarray, number: np.ndarray) -> pa.Table:
    return pa.Table.from_arrays([pa.array(kind), pa.array(sign), pa.array(number, pa.int64())], schema=SIGNS)


def by_partition(rows: pa.Table, key: str, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """The rows in the order of the partitions of a hash (uint64), each an equal range of it, and how many each has."""
    # Below 2**32 partitions the product fits.
    high = column(rows, key).to_numpy() >> np.uint64(32)
    partition = (high * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    return rows.take(pa.array(order)), np.bincount(partition, minlength=num_partitions).tolist()


def recurring(parts: list[pa.Table], config: RepeatsConfig) -> list[pa.Table]:
    """Of each part (`SIGNS` of one partition, a shard each) the rows whose signs come often enough over all of them."""
    rows = pa.concat_tables(parts)
    kind, sign, number = (column(rows, name).to_numpy() for name in SIGNS.names)
    order = np.lexsort((sign, kind))
    starts = _starts(kind[order], sign[order])
    least = np.array([config.least(which) for which in range(len(KINDS))])
    enough = np.add.reduceat(number[order], starts) >= least[kind[order][starts]] if len(starts) else np.empty(0, bool)
    comes_again = np.empty(len(order), np.bool_)
    comes_again[order] = np.repeat(enough, np.diff(starts, append=len(order)))
    return list(_filtered(parts, comes_again))


def _starts(*keys: np.ndarray) -> np.ndarray:
    """int64: where stretches of equal rows begin."""
    is_new = np.ones(len(keys[0]), np.bool_)
    is_new[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return np.flatnonzero(is_new)


def _filtered(parts: list[pa.Table], mask: np.ndarray) -> Iterator[pa.Table]:
    at = 0
    for part in parts:
        yield part.filter(pa.array(mask[at : at + part.num_rows]))
        at += part.num_rows
