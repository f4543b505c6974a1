"""Blocks: pairs that share documents, put together so that a text that many pairs want is fetched once for all of them.

A block is named by the id of a document. Every pair is in one block, and a block's pairs are compared in one place. The
greater documents of a block are neighbours in a bucket, so it has few texts beside its pairs; and it is small, so that
no page with a million copies makes a heap in one place.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.edges import EDGES, distinct_ids
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column, ranges
from dataprep.schemas import ID

BLOCK_DOCUMENTS = 256
"""Of a bucket, whose pairs make one block. Each is held against the bucket's first and the 16 before it, which lie in
the block but for 17: 7% more texts than if the bucket were not cut."""

BLOCK_PAIRS = pa.schema(
    [
        *EDGES,
        pa.field("block", ID, nullable=False),
        pa.field("target", pa.int32(), nullable=False),  # number of the unit that wants to know how alike the two are
    ]
)
"""Pairs to compare, distinct, ascending by (low, high)."""


def block_pairs(edges: pa.Table, blocks: pa.Array, target: np.ndarray) -> pa.Table:
    """`BLOCK_PAIRS` of `edges.EDGES`, row for row."""
    columns = [column(edges, "low"), column(edges, "high"), blocks, pa.array(target.astype(np.int32))]
    return pa.Table.from_arrays(columns, schema=BLOCK_PAIRS)


def distinct_pairs(low: np.ndarray, high: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each distinct pair, ascending by (low, high): a row where it stands, and its smallest block.

    All are numbers of documents (integers[rows], below 2**32), in the order of their ids.
    """
    pairs = (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    order = np.argsort(pairs)
    pairs = pairs[order]
    is_new = np.ones(len(pairs), np.bool_)
    is_new[1:] = pairs[1:] != pairs[:-1]
    starts = np.flatnonzero(is_new)
    smallest = np.minimum.reduceat(block[order], starts) if len(starts) else block
    return order[starts], smallest


def merge_blocks(tables: list[pa.Table]) -> pa.Table:
    """The `BLOCK_PAIRS` that stand in any of the tables: a pair that shares several bands comes from several partitions
    of keys, in several blocks, of which the smallest is taken."""
    rows = pa.concat_tables([BLOCK_PAIRS.empty_table(), *tables])
    ids, numbers = distinct_ids(pa.concat_arrays([column(rows, name) for name in ("low", "high", "block")]))
    low, high, block = np.split(numbers, 3)
    at, smallest = distinct_pairs(low, high, block)
    ends = [ids.take(pa.array(part)) for part in (low[at], high[at], smallest)]
    return pa.Table.from_arrays([*ends, column(rows, "target").take(pa.array(at))], schema=BLOCK_PAIRS)


def blocks_of_groups(pairs: pa.Table, members: pa.Table) -> pa.Array:
    """A block for each of the pairs (`edges.EDGES`) of a member and the first of its group (`keeper.far_pairs`).

    The pairs of a group share the first and nothing else: any `BLOCK_DOCUMENTS` of them make a block, which has the
    name of a member. Raises CorruptDataError where `members` lacks one of them.
    """
    at = rows_of(column(pairs, "low"), column(members, "id"), "component")
    group = pc.dictionary_encode(column(members, "component").take(pa.array(at))).indices.to_numpy()
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], group)  # of each pair's group
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    of_block = order[starts + (place - starts) // BLOCK_DOCUMENTS * BLOCK_DOCUMENTS]
    named = pairs.take(pa.array(of_block))
    is_low_the_first = pa.array(_is_low_the_first(pairs, group, order)[of_block])
    return pc.if_else(is_low_the_first, column(named, "high"), column(named, "low"))


def _is_low_the_first(pairs: pa.Table, group: np.ndarray, order: np.ndarray) -> np.ndarray:
    """bool[pairs]: whether the smaller end is the first of the group, as an end of another of its pairs is; where there
    is no other, true. `order` has the pairs of a group one behind the other."""
    low, high = np.split(distinct_ids(pa.concat_arrays([column(pairs, name) for name in ("low", "high")]))[1], 2)
    following, previous = np.roll(order, -1), np.roll(order, 1)
    beside = np.where(group[following] == group[order], following, previous)
    other = np.empty_like(order)
    other[order] = np.where(group[beside] == group[order], beside, order)
    return (low == low[other]) | (low == high[other])


def ends_among(pairs: pa.Table, ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """int64: the rows of `pairs` that have an end among `ids`, and the row of that end there; a pair with both ends
    stands twice."""
    found = [pc.index_in(column(pairs, end), value_set=ids) for end in ("low", "high")]
    of_pair = [np.flatnonzero(pc.is_valid(rows).to_numpy(zero_copy_only=False)) for rows in found]
    of_id = [rows.drop_null().to_numpy().astype(np.int64) for rows in found]
    return np.concatenate(of_pair), np.concatenate(of_id)


def distinct_within(groups: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct pairs of a group and a row in it, ascending by both."""
    order = np.lexsort((rows, groups))
    groups, rows = groups[order], rows[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (groups[1:] != groups[:-1]) | (rows[1:] != rows[:-1])
    return groups[is_new], rows[is_new]


def in_order_of_blocks(pairs: pa.Table) -> pa.Table:
    """The `BLOCK_PAIRS` ascending by (block, low, high)."""
    _, numbers = distinct_ids(pa.concat_arrays([column(pairs, name) for name in ("block", "low", "high")]))
    block, low, high = np.split(numbers, 3)
    return pairs.take(pa.array(np.lexsort((high, low, block))))


def text_bytes(pairs: pa.Table, facts: pa.Table) -> int:
    """How much text the blocks of `pairs` want of the documents in `facts` (`id`, `num_bytes`), once for each block."""
    of_pair, of_id = ends_among(pairs, column(facts, "id"))
    block = distinct_ids(column(pairs, "block"))[1]
    _, rows = distinct_within(block[of_pair], of_id)
    return int(column(facts, "num_bytes").to_numpy()[rows].sum())


def batches(pairs: pa.Table, facts: pa.Table, max_bytes: int) -> Iterator[tuple[int, int]]:
    """Ranges [start, stop) of `pairs`, in the order of their blocks, that want at most `max_bytes` of text each.

    Blocks are kept whole; one that wants more is cut, and then a text counts for each pair that wants it. A pair that
    wants more is a range of its own. `facts` holds `id` and `num_bytes` of all documents.
    """
    sizes, ids = column(facts, "num_bytes").to_numpy(), column(facts, "id")
    ends = [rows_of(column(pairs, end), ids, "size") for end in ("low", "high")]
    block = distinct_ids(column(pairs, "block"))[1]
    of_block, rows = distinct_within(np.concatenate([block, block]), np.concatenate(ends))
    bytes_of_block = np.bincount(of_block, weights=sizes[rows]).astype(np.int64)
    first_pair = np.searchsorted(block, np.arange(len(bytes_of_block) + 1))
    for start, stop in ranges(np.append(0, np.cumsum(bytes_of_block)), max_bytes):
        first, last = int(first_pair[start]), int(first_pair[stop])
        if bytes_of_block[start:stop].sum() <= max_bytes:
            yield first, last
            continue
        of_pairs = sum(sizes[end[first:last]] for end in ends)
        yield from ((first + a, first + b) for a, b in ranges(np.append(0, np.cumsum(of_pairs)), max_bytes))
