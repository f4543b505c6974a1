"""Edges: pairs of documents, each pair once, the smaller id first."""

import numpy as np
import pyarrow as pa

from dataprep import document_id
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID

EDGES = pa.schema([pa.field("low", ID, nullable=False), pa.field("high", ID, nullable=False)])
"""Pairs to verify, distinct, ascending by (low, high)."""

VERIFIED_EDGES = EDGES.append(pa.field("similarity", pa.float64(), nullable=False))
"""Pairs that were verified, with their exact Jaccard similarity."""


def edges_of(ids: pa.Array, low: np.ndarray, high: np.ndarray) -> pa.Table:
    """`EDGES` between rows `low[i]` and `high[i]` of `ids`, which ascend, so that rows compare as ids do."""
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    is_new = np.ones(len(low), np.bool_)
    is_new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    columns = [ids.take(rows[is_new]) for rows in (low, high)]
    return pa.Table.from_arrays(columns, schema=EDGES)


def numbered(edges: pa.Table) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """The distinct ids at either end of `edges`, ascending, and for each edge the places of its two ends in them."""
    ids, numbers = distinct_ids(pa.concat_arrays([column(edges, "low"), column(edges, "high")]))
    return ids, numbers[: edges.num_rows], numbers[edges.num_rows :]


def distinct_ids(ids: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The ids without repeats, ascending, and for each row its place among them (int64)."""
    high, low = document_id.words(ids)
    order = np.lexsort((low, high))
    high, low = high[order], low[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    places = np.empty(len(order), np.int64)
    places[order] = np.cumsum(is_new) - 1
    return document_id.from_words(high[is_new], low[is_new]), places


def merge_edges(tables: list[pa.Table]) -> pa.Table:
    """The `EDGES` that stand in any of the tables: a pair that shares several bands comes from several partitions."""
    edges = pa.concat_tables([table.select(EDGES.names) for table in tables]) if tables else EDGES.empty_table()
    return edges_of(*numbered(edges))
