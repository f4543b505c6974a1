"""Connected components: documents that hang together by verified edges."""

import numpy as np
import pyarrow as pa

from dataprep import document_id
from dataprep.kernels import union_find
from dataprep.schemas import ID

COMPONENTS = pa.schema([pa.field("id", ID, nullable=False), pa.field("component", ID, nullable=False)])
"""Each document that has an edge, ascending by id, and the smallest id of its component."""

_FIRST_BITS = 10


def components(edges: pa.Table) -> pa.Table:
    """`COMPONENTS` of the graph of `edges` (`edges.EDGES` or `VERIFIED_EDGES`, in any order, repeats allowed)."""
    joined = Joined()
    joined.add(edges)
    return joined.components()


class Joined:
    """Documents joined by edges that are given some at a time; only the documents are kept."""

    def __init__(self) -> None:
        self._num_nodes, self._bits = 0, _FIRST_BITS
        room = 1 << (self._bits - 1)
        self._ids, self._parents = np.empty((room, 2), np.uint64), np.empty(room, np.int64)
        self._slots = np.full(1 << self._bits, union_find.EMPTY)

    def add(self, edges: pa.Table) -> None:
        """Join the two ends of each."""
        ends = [document_id.words(edges[end]) for end in ("low", "high")]
        done = 0
        while done < edges.num_rows:
            done, self._num_nodes = union_find.join(
                *ends, done, self._ids, self._parents, self._slots, self._bits, self._num_nodes
            )
            if done < edges.num_rows:
                self._make_room()

    def components(self) -> pa.Table:
        """`COMPONENTS` of all edges so far: the same in whatever order they came."""
        high, low = self._ids[: self._num_nodes].T
        order = np.lexsort((low, high))
        smallest = union_find.smallest_of_each(order, self._parents)
        ids = document_id.from_words(high[order], low[order])
        return pa.Table.from_arrays([ids, ids.take(smallest)], schema=COMPONENTS)

    def _make_room(self) -> None:
        """Twice as much: for half as many nodes as there are slots."""
        self._slots = np.empty(0, np.int64)  # gone before its successor is made
        self._bits += 1
        num_nodes, room = self._num_nodes, 1 << (self._bits - 1)
        ids, parents = np.empty((room, 2), np.uint64), np.empty(room, np.int64)
        ids[:num_nodes], parents[:num_nodes] = self._ids[:num_nodes], self._parents[:num_nodes]
        self._ids, self._parents = ids, parents
        self._slots = np.full(1 << self._bits, union_find.EMPTY)
        union_find.enter_all(ids, num_nodes, self._slots, self._bits)
