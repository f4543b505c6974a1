"""Tables that are cut by input shard, and those that units of one phase write for units of the next."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from seedbed.artifact import Artifact


def row_group(artifact: Artifact, table: str, part: str, group: int) -> pa.Table:
    with artifact.open_parquet(f"scratch/{table}", part) as file:
        return file.read_row_group(group, use_threads=False)


def by_shard(rows: pa.Table, key: str, prefixes: dict[str, str]) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their shards, and how many each shard has."""
    shard_of_row = _shards_of(rows[key], prefixes)
    order = np.argsort(shard_of_row, kind="stable")
    return rows.take(pa.array(order)), np.bincount(shard_of_row, minlength=len(prefixes)).tolist()


def _shards_of(ids: pa.ChunkedArray, prefixes: dict[str, str]) -> np.ndarray:
    """int64[rows]: the place of each id's shard among `prefixes` (unit -> hex of what leads its ids)."""
    firsts = [document_id.pack(bytes.fromhex(prefix), 0) for prefix in prefixes.values()]
    leads = pc.binary_slice(pc.cast(ids, pa.binary()), 0, document_id.PREFIX_BYTES)
    known = pa.array([first[: document_id.PREFIX_BYTES] for first in firsts], pa.binary())
    return pc.index_in(leads, known).to_numpy().astype(np.int64)


def rows_by_id(
    artifact: Artifact, table: str, ids: pa.ChunkedArray | pa.Array, prefixes: dict[str, str], columns: list[str]
) -> pa.Table:
    """The rows of these ids, from whichever shards they are in; only their row groups are read."""
    distinct = pc.unique(ids)
    shard_of_id = _shards_of(distinct, prefixes)
    parts = []
    for number, shard in enumerate(prefixes):
        wanted = distinct.filter(pa.array(shard_of_id == number))
        if len(wanted):
            parts.append(artifact.read_rows(table, shard, wanted, columns))
    if not parts:
        return artifact.read_table(table, next(iter(prefixes)), columns).slice(0, 0)
    return pa.concat_tables(parts)


def row_groups(artifact: Artifact, table: str, parts: list[str], group: int) -> pa.Table:
    """One row group of each part: what all units of a phase have written for one unit of the next."""
    return pa.concat_tables([row_group(artifact, table, part, group) for part in parts])
