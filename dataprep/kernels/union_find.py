"""Union-find over 128-bit ids that come pair by pair: how documents are joined into groups."""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_2

EMPTY = np.int64(-1)


@kernel
def join(low_ends, high_ends, first, ids, parents, slots, bits, num_nodes):
    """Join the ends of the pairs from `first` on: (the first pair for which there was no room, nodes by now).

    `low_ends` and `high_ends` are (high word, low word) uint64[pairs], `ids` uint64[nodes, 2] the same of the nodes, in
    the order in which they came. `slots` int64[2^bits] is an open-addressing table of nodes, to be kept half empty. A
    node's parent is a node that came before it, or itself; paths are halved on the way (Tarjan and van Leeuwen 1984).
    """
    for pair in range(first, len(low_ends[0])):
        if num_nodes + 2 > len(parents):
            return pair, num_nodes
        low = _node(low_ends[0][pair], low_ends[1][pair], ids, parents, slots, bits, num_nodes)
        num_nodes = max(num_nodes, low + 1)
        high = _node(high_ends[0][pair], high_ends[1][pair], ids, parents, slots, bits, num_nodes)
        num_nodes = max(num_nodes, high + 1)
        a, b = _root(parents, low), _root(parents, high)
        parents[max(a, b)] = min(a, b)
    return len(low_ends[0]), num_nodes


@kernel
def enter_all(ids, num_nodes, slots, bits):
    """Fill an empty table of slots."""
    for node in range(num_nodes):
        slots[_slot(ids[node, 0], ids[node, 1], ids, slots, bits)] = node


@kernel
def smallest_of_each(order, parents):
    """int64[nodes]: for each place in `order`, that of the first node of its component. `order` has the nodes by id."""
    first = np.full(len(order), EMPTY)
    smallest = np.empty(len(order), np.int64)
    for place in range(len(order)):
        root = _root(parents, order[place])
        if first[root] == EMPTY:
            first[root] = place
        smallest[place] = first[root]
    return smallest


@kernel
def _node(high_word, low_word, ids, parents, slots, bits, num_nodes):
    """The number of a node, `num_nodes` where it is new."""
    slot = _slot(high_word, low_word, ids, slots, bits)
    if slots[slot] == EMPTY:
        slots[slot] = num_nodes
        parents[num_nodes] = num_nodes
        ids[num_nodes, 0] = high_word
        ids[num_nodes, 1] = low_word
    return slots[slot]


@kernel
def _slot(high_word, low_word, ids, slots, bits):
    """Where a node stands, or would. Linear probing; the slot is the top bits of a multiplicative hash (Knuth, volume
    3, 6.4), so ids of one file, whose last bits count up, lie apart."""
    mask = (1 << bits) - 1
    slot = np.int64(((high_word * PRIME_2) ^ low_word) * PRIME_1 >> np.uint64(64 - bits))
    while slots[slot] != EMPTY and (ids[slots[slot], 0] != high_word or ids[slots[slot], 1] != low_word):
        slot = (slot + 1) & mask
    return slot


@kernel
def _root(parents, node):
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node
