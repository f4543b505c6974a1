"""Finding equal things of one document among each other, by their hashes, in a small table that is used again.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1

EMPTY = np.int32(-1)


@kernel
def table_bits(num_keys):
    """Of the least power of two with room for twice as many: an open-addressing table at most half full is fast."""
    bits = 3
    while (1 << bits) < 2 * num_keys:
        bits += 1
    return bits


@kernel
def clear(table, bits):
    """Empties the part of a table that a document uses."""
    for slot in range(1 << bits):
        table[slot] = EMPTY


@kernel(inline="always")
def first_equal(table, bits, keys, i):
    """Where `keys[i]` occurred first, `i` itself where it is new (then it is entered). Linear probing.

    `table` int32[2^bits] holds indices into `keys` uint64[]; the slot is the top bits of a multiplicative hash
    (Knuth, volume 3, 6.4), so that keys need not be hashes themselves.
    """
    key = keys[i]
    mask = (1 << bits) - 1
    slot = np.int64((key * PRIME_1) >> np.uint64(64 - bits))
    while True:
        at = table[slot]
        if at == EMPTY:
            table[slot] = i
            return np.int32(i)
        if keys[at] == key:
            return at
        slot = (slot + 1) & mask


@kernel
def count_repeats(table, keys, sizes, num_keys):
    """(how many of `keys[:num_keys]` equal an earlier one, the sum of their `sizes`)."""
    if num_keys < 2:
        return 0, 0
    bits = table_bits(num_keys)
    clear(table, bits)
    repeats = 0
    size = 0
    for i in range(num_keys):
        if first_equal(table, bits, keys, i) != i:
            repeats += 1
            size += sizes[i]
    return repeats, size
