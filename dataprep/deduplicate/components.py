"""Connected components: documents that hang together by verified edges."""

import numpy as np
import pyarrow as pa

from dataprep.deduplicate.edges import numbered
from dataprep.kernels.deferred import kernel
from dataprep.schemas import ID

COMPONENTS = pa.schema([pa.field("id", ID, nullable=False), pa.field("component", ID, nullable=False)])
"""Each document that has an edge, ascending by id, and the smallest id of its component."""


def components(edges: pa.Table) -> pa.Table:
    """`COMPONENTS` of the graph of `edges` (`edges.EDGES` or `VERIFIED_EDGES`, in any order, repeats allowed)."""
    ids, low, high = numbered(edges)
    smallest = np.arange(len(ids), dtype=np.int64)
    _join(low, high, smallest)
    return pa.Table.from_arrays([ids, ids.take(smallest)], schema=COMPONENTS)


@kernel
def _join(low, high, parents):
    """Union-find with path halving (Tarjan and van Leeuwen 1984). The smaller root wins, so at the end `parents`
    holds the smallest member of each component whatever the order of the edges."""
    for edge in range(len(low)):
        a = _root(parents, low[edge])
        b = _root(parents, high[edge])
        if a < b:
            parents[b] = a
        elif b < a:
            parents[a] = b
    for node in range(len(parents)):
        parents[node] = _root(parents, node)


@kernel
def _root(parents, node):
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node
