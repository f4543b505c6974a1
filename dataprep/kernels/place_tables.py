"""From the hash of a few words to the places of another text at which they stand: a table to ask at every word.

hash --filter, three bits of one word--> most are not there --slots, open addressing--> key --offsets--> places
"""

from typing import NamedTuple

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.mixing import PRIME_1, PRIME_4, avalanche

FILTER_BITS_PER_KEY = 16
"""Of a filter of three bits a key, all in one word (Putze, Sanders and Singler 2007): of the hashes that are not there
some 1% pass, and are refused by the slots. One bit alone lets 6% pass, each of which waits for memory."""

SLOTS_PER_KEY = 2
"""Half full: some 1.5 looks for a hash that is there (Knuth, The Art of Computer Programming, 6.4, linear probing)."""

EMPTY = -1


class PlaceTable(NamedTuple):
    """Key k is `hashes[k]` (uint64, ascending and unique) and stands at `places[offsets[k]:offsets[k + 1]]` (int64,
    ascending). `filter` (uint64) and `slots` (int32, index of a key) have a power of two of bits and of entries.

    44 to 60 bytes a key where each has one place.
    """

    hashes: np.ndarray
    offsets: np.ndarray
    places: np.ndarray
    filter: np.ndarray
    slots: np.ndarray


class Found(NamedTuple):
    """The n-grams of documents that a table knows: the document's row, the number of the n-gram's first word in it
    (both int64), and the key."""

    documents: np.ndarray
    positions: np.ndarray
    keys: np.ndarray


def place_table(hashes: np.ndarray, places: np.ndarray, max_places: int | None = None) -> PlaceTable:
    """The table of pairs of hash (uint64) and place (int64). A hash of more places than `max_places` is left out."""
    order = np.argsort(hashes, kind="stable")
    hashes, places = hashes[order], places[order]
    keys, sizes = np.unique(hashes, return_counts=True)
    if max_places is not None:
        keep = sizes <= max_places
        places = places[np.repeat(keep, sizes)]
        keys, sizes = keys[keep], sizes[keep]
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
    bits = np.zeros(max(_power_of_two(FILTER_BITS_PER_KEY * len(keys)) // 64, 2), np.uint64)
    slots = np.full(_power_of_two(SLOTS_PER_KEY * len(keys)), EMPTY, np.int32)
    _fill(read_only(keys), bits, slots)
    return PlaceTable(*map(read_only, (keys, offsets, places, bits, slots)))


def _power_of_two(least: int) -> int:
    return 1 << max(least - 1, 1).bit_length()


def ngram_hashes(offsets: np.ndarray, words: np.ndarray, length: int) -> np.ndarray:
    """uint64[words]: the hash of the `length` words from each word on, 0 where its text ends before."""
    hashes = np.zeros(len(words), np.uint64)
    _ngram_hashes(read_only(offsets), read_only(words), length, hashes)
    return hashes


def find_ngrams(offsets: np.ndarray, words: np.ndarray, length: int, table: PlaceTable) -> Found:
    """Where the n-grams of documents (`words.Words`) stand that `table` knows; in the order of document and position.

    A hash is taken for the words: whoever wants to be sure compares them.
    """
    room = len(words) // 64 + 64
    while True:
        found = Found(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
        count = _find_ngrams(read_only(offsets), read_only(words), length, table, found)
        if count <= room:
            return Found(*(values[:count] for values in found))
        room = count


@kernel
def _top_power(length):
    """What the oldest of `length` words is multiplied by (Karp and Rabin 1987)."""
    power = np.uint64(1)
    for _ in range(length - 1):
        power = power * PRIME_1
    return power


@kernel
def _ngram_hashes(offsets, words, length, hashes):
    top, salt = _top_power(length), np.uint64(length) * PRIME_4
    for document in range(len(offsets) - 1):
        first, stop = offsets[document], offsets[document + 1]
        state = np.uint64(0)
        for i in range(first, stop):
            oldest = words[i - length] if i - length >= first else np.uint64(0)
            state = (state - oldest * top) * PRIME_1 + words[i]
            if i - length + 1 >= first:
                hashes[i - length + 1] = avalanche(state ^ salt)


@kernel
def _find_ngrams(offsets, words, length, table, found):
    """How many there are; those for which there is no room are counted only."""
    top, salt = _top_power(length), np.uint64(length) * PRIME_4
    documents, positions, keys = found
    shift = _filter_shift(len(table.filter))
    count, room = 0, len(keys)
    for document in range(len(offsets) - 1):
        first, stop = offsets[document], offsets[document + 1]
        state = np.uint64(0)
        for i in range(first, stop):
            oldest = words[i - length] if i - length >= first else np.uint64(0)
            state = (state - oldest * top) * PRIME_1 + words[i]
            if i - length + 1 < first:
                continue
            wanted = avalanche(state ^ salt)
            bits = _filter_bits(wanted)
            if table.filter[wanted >> shift] & bits != bits:
                continue
            key = _key_of(table.hashes, table.slots, wanted)
            if key == EMPTY:
                continue
            if count < room:
                documents[count], positions[count], keys[count] = document, i - length + 1 - first, key
            count += 1
    return count


@kernel
def _filter_shift(num_words):
    """By how much a hash is shifted so that as many of its first bits stay as number `num_words` (two or more)."""
    shift = 64
    while num_words > 1:
        num_words >>= 1
        shift -= 1
    return np.uint64(shift)


@kernel
def _filter_bits(wanted):
    """The bits of its word that a key sets: by its last bits, as the first ones choose the word."""
    low, middle, high = wanted & np.uint64(63), (wanted >> np.uint64(6)) & np.uint64(63), wanted >> np.uint64(12)
    return np.uint64(1) << low | np.uint64(1) << middle | np.uint64(1) << (high & np.uint64(63))


@kernel
def _key_of(hashes, slots, wanted):
    mask = len(slots) - 1
    at = np.int64(wanted & np.uint64(mask))
    while True:
        key = slots[at]
        if key == EMPTY or hashes[key] == wanted:
            return key
        at = (at + 1) & mask


@kernel
def _fill(hashes, bits, slots):
    shift, mask = _filter_shift(len(bits)), len(slots) - 1
    for key in range(len(hashes)):
        bits[hashes[key] >> shift] |= _filter_bits(hashes[key])
        at = np.int64(hashes[key] & np.uint64(mask))
        while slots[at] != EMPTY:
            at = (at + 1) & mask
        slots[at] = key
