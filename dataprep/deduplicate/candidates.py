"""The reduce side of the shuffle: pairs of documents that share a bucket."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.deduplicate.blocks import BLOCK_DOCUMENTS, distinct_pairs
from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.edges import EDGES, distinct_ids
from dataprep.kernels.text_buffers import column

NEIGHBOURS = 16
"""With how many of its bucket before it a document is compared, beside the smallest."""


@dataclass(frozen=True)
class Candidates:
    """`edges` (`edges.EDGES`) to verify, and the buckets of two documents and more that they come from."""

    edges: pa.Table
    blocks: pa.Array  # of each edge: the id that names its block (`blocks`)
    num_buckets: int
    largest_bucket: int  # documents; 0 where there is no bucket
    num_large_buckets: int  # of more than `max_bucket` documents


def candidates(parts: list[pa.Table], max_bucket: int) -> Candidates:
    """The candidates of one partition: its `BAND_ROWS` from every shard, in any order.

    A bucket of n documents gives at most (NEIGHBOURS + 1) n pairs, never all n (n - 1) / 2: each with the bucket's
    smallest id, and with the NEIGHBOURS before it by id. So up to NEIGHBOURS + 1 documents are all compared with one
    another; in larger buckets, which pages of one template fill, two copies may miss each other where the smallest id
    is like neither. The block of a pair is the run of documents of its bucket that the greater one is in, named by the
    first; of a pair that shares several buckets the smallest.
    """
    rows = pa.concat_tables(parts) if parts else BAND_ROWS.empty_table()
    ids, documents = distinct_ids(column(rows, "id"))
    keys = column(rows, "key").to_numpy()
    order = np.lexsort((documents, keys))
    keys, documents = keys[order], documents[order]
    is_first = np.ones(len(keys), np.bool_)  # of its bucket
    is_first[1:] = keys[1:] != keys[:-1]
    # Two bands of one document may have one key, by a collision of their hashes.
    is_repeat = np.zeros(len(keys), np.bool_)
    is_repeat[1:] = ~is_first[1:] & (documents[1:] == documents[:-1])
    documents, is_first = documents[~is_repeat].astype(np.int32), is_first[~is_repeat]  # half the room: pairs are many

    starts = np.flatnonzero(is_first)
    sizes = np.diff(np.append(starts, len(documents)))
    smallest = np.repeat(documents[starts], sizes)
    others = np.flatnonzero(~is_first)
    place = np.arange(len(documents)) - np.repeat(starts, sizes)  # within its bucket
    named = documents[np.arange(len(documents)) - place % BLOCK_DOCUMENTS]
    lows, highs, blocks = [smallest[others]], [documents[others]], [named[others]]
    for distance in range(1, NEIGHBOURS + 1):
        later = np.flatnonzero(place >= distance)
        lows.append(documents[later - distance])
        highs.append(documents[later])
        blocks.append(named[later])
    low, high = np.concatenate(lows), np.concatenate(highs)
    at, block = distinct_pairs(low, high, np.concatenate(blocks))
    ends = [ids.take(pa.array(rows)) for rows in (low[at], high[at])]
    shared = sizes[sizes > 1]
    return Candidates(
        edges=pa.Table.from_arrays(ends, schema=EDGES),
        blocks=ids.take(pa.array(block)),
        num_buckets=len(shared),
        largest_bucket=int(shared.max(initial=0)),
        num_large_buckets=int((shared > max_bucket).sum()),
    )
