"""Rows by the input shards that their documents lie in."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from seedbed.artifact import Artifact


def by_shard(rows: pa.Table, key: str, prefixes: dict[str, str]) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their shards, and how many each shard has."""
    return in_groups(rows, shards_of(rows[key], prefixes), len(prefixes))


def by_both_shards(pairs: pa.Table, prefixes: dict[str, str]) -> tuple[pa.Table, list[int]]:
    """The same of pairs, in the shards of `low` and of `high`: a pair of two shards stands twice."""
    low, high = (shards_of(pairs[end], prefixes) for end in ("low", "high"))
    of_two = np.flatnonzero(low != high)
    rows = pairs.take(pa.array(np.append(np.arange(len(low)), of_two)))
    return in_groups(rows, np.append(low, high[of_two]), len(prefixes))


def in_groups(rows: pa.Table, group: np.ndarray, num_groups: int) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their groups (int64[rows], from 0), and how many each group has."""
    order = np.argsort(group, kind="stable")
    return rows.take(pa.array(order)), np.bincount(group, minlength=num_groups).tolist()


def partition_by_hash(ids: pa.Array, num_partitions: int, seed: int) -> np.ndarray:
    """int64[rows]: which of `num_partitions`, equal but for chance."""
    mixed = document_id.mix(ids, seed) >> np.uint64(32)
    return (mixed * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int64)


def shards_of(ids: pa.ChunkedArray, prefixes: dict[str, str]) -> np.ndarray:
    """int64[rows]: the place of each id's shard among `prefixes` (unit -> hex of what leads its ids)."""
    leads = pc.binary_slice(pc.cast(ids, pa.binary()), 0, document_id.PREFIX_BYTES)
    packed = pa.py_buffer(bytes.fromhex("".join(prefixes.values())))
    of_shards = pa.Array.from_buffers(pa.binary(document_id.PREFIX_BYTES), len(prefixes), [None, packed])
    known = of_shards.cast(pa.binary())
    return pc.index_in(leads, known).to_numpy().astype(np.int64)


def rows_by_id(
    artifact: Artifact, table: str, ids: pa.ChunkedArray | pa.Array, prefixes: dict[str, str], columns: list[str]
) -> pa.Table:
    """The rows of these ids, from whichever shards they are in; only their row groups are read."""
    distinct = pc.unique(ids)
    shard_of_id = shards_of(distinct, prefixes)
    parts = []
    for number, shard in enumerate(prefixes):
        wanted = distinct.filter(pa.array(shard_of_id == number))
        if len(wanted):
            parts.append(artifact.read_rows(table, shard, wanted, columns))
    if not parts:
        return artifact.read_table(table, next(iter(prefixes)), columns).slice(0, 0)
    return pa.concat_tables(parts)
