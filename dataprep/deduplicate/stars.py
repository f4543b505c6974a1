"""Connected components of edges that no memory holds: alternating stars (Kiveris et al. 2014, "Connected components in
MapReduce and beyond", algorithm 3).

    edges --seen_from_both_ends--> links --large_star--> links --small_star--> links ... until nothing changes

A link is an edge seen from one of its nodes. Each round is a shuffle: links are cut into partitions by their node, so
that one partition holds all neighbours of its nodes. `large_star` joins a node's greater neighbours to the least of
them all, `small_star` its smaller ones and itself to the least of those. At the end each node is linked to its
component's smallest, after some log^2(nodes) rounds at most. Neither the order of edges nor the partitions change it.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep import document_id
from dataprep.deduplicate.components import COMPONENTS
from dataprep.deduplicate.edges import distinct_ids
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID

LINKS = pa.schema([pa.field("node", ID, nullable=False), pa.field("neighbour", ID, nullable=False)])
"""Distinct links, ascending by (partition of the node, node, neighbour)."""

_PLACE_SEED, _NODE_SEED, _NEIGHBOUR_SEED = 0x57A1, 0x57A2, 0x57A3  # of independent hashes of ids


@dataclass(frozen=True)
class Sum:
    """What tells one set of edges from another, whatever their order: how many, and a checksum (64 bits)."""

    num_edges: int
    checksum: int


@dataclass(frozen=True)
class _Links:
    """Distinct links over `ids`, which ascend: `node[i]` -> `neighbour[i]`, ascending."""

    ids: pa.Array
    node: np.ndarray
    neighbour: np.ndarray


def seen_from_both_ends(edges: pa.Table, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`LINKS` of the graph of `edges` (`low` and `high`), and how many each partition has."""
    low, high = column(edges, "low"), column(edges, "high")
    return _cut(pa.concat_arrays([low, high]), pa.concat_arrays([high, low]), num_partitions)


def large_star(parts: list[pa.Table], num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`LINKS` from the greater nodes to the smaller ones of one partition of links seen from both ends."""
    links = _read(parts)
    least = np.minimum(links.node, _first_neighbours(links))
    greater = links.neighbour > links.node
    return _cut(links.ids.take(links.neighbour[greater]), links.ids.take(least[greater]), num_partitions)


def small_star(parts: list[pa.Table], num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`LINKS` seen from both ends, of one partition of what `large_star` wrote."""
    links = _read(parts)
    least = _first_neighbours(links)
    others = links.neighbour != least
    greater = links.ids.take(np.concatenate([links.node, links.neighbour[others]]))
    smaller = links.ids.take(np.concatenate([least, least[others]]))
    return _cut(pa.concat_arrays([greater, smaller]), pa.concat_arrays([smaller, greater]), num_partitions)


def sum_of(parts: list[pa.Table]) -> Sum:
    """Of the edges of one partition of links seen from both ends, each at its greater node."""
    links = _read(parts)
    down = links.neighbour < links.node
    with np.errstate(over="ignore"):
        node = document_id.mix(links.ids.take(links.node[down]), _NODE_SEED)
        neighbour = document_id.mix(links.ids.take(links.neighbour[down]), _NEIGHBOUR_SEED)
        return Sum(int(down.sum()), int((node * (neighbour | np.uint64(1))).sum(dtype=np.uint64)))


def components_of_stars(parts: list[pa.Table]) -> pa.Table:
    """`COMPONENTS` of the nodes of one partition, when the stars change no more."""
    links = _read(parts)
    is_first = _is_first(links.node)
    nodes = links.node[is_first]
    component = np.minimum(nodes, links.neighbour[is_first])
    return pa.Table.from_arrays([links.ids.take(nodes), links.ids.take(component)], schema=COMPONENTS)


def _read(parts: list[pa.Table]) -> _Links:
    table = pa.concat_tables(parts) if parts else LINKS.empty_table()
    ids, numbers = distinct_ids(pa.concat_arrays([column(table, "node"), column(table, "neighbour")]))
    node, neighbour = numbers[: table.num_rows], numbers[table.num_rows :]
    order = np.lexsort((neighbour, node))
    node, neighbour = node[order], neighbour[order]
    is_new = np.ones(len(node), np.bool_)
    is_new[1:] = (node[1:] != node[:-1]) | (neighbour[1:] != neighbour[:-1])
    return _Links(ids, node[is_new], neighbour[is_new])


def _cut(node: pa.Array, neighbour: pa.Array, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """Distinct `LINKS` by partition."""
    links = _read([pa.Table.from_arrays([node, neighbour], schema=LINKS)])
    mixed = document_id.mix(links.ids, _PLACE_SEED) >> np.uint64(32)
    partition = (mixed * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int64)[links.node]
    order = np.argsort(partition, kind="stable")
    columns = [links.ids.take(links.node[order]), links.ids.take(links.neighbour[order])]
    return pa.Table.from_arrays(columns, schema=LINKS), np.bincount(partition, minlength=num_partitions).tolist()


def _first_neighbours(links: _Links) -> np.ndarray:
    """int64[links]: the least neighbour of each link's node."""
    starts = np.flatnonzero(_is_first(links.node))
    return np.repeat(links.neighbour[starts], np.diff(np.append(starts, len(links.node))))


def _is_first(node: np.ndarray) -> np.ndarray:
    is_first = np.ones(len(node), np.bool_)
    is_first[1:] = node[1:] != node[:-1]
    return is_first
