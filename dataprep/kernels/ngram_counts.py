"""Counting n-grams exactly: an n-gram is the number of its prefix and its last word, looked up in a hash table.

    level 1: word hash -> number        level k: (number of the first k - 1 words, last word) -> number

Numbers go by first occurrence, so the same texts in the same order give the same numbers everywhere.
"""

import numpy as np

from dataprep.errors import DataError
from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import avalanche

WORD_BITS = 24  # of a key: the last word; the other 40 are the prefix
MAX_WORDS = 1 << WORD_BITS
_FIRST_SLOTS = 1 << 16
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)  # a slot without a number


class Level:
    """The n-grams of one length that have been seen.

    Of n-gram g: `keys[g]` uint64; `counts[g]` int64, occurrences; `num_before[g]` int32, different words that stand
    before it; `suffixes[g]` int32, the number, one level down, of its last words. `size` of them are in use.
    """

    def __init__(self) -> None:
        self.size = 0
        self.keys = np.empty(_FIRST_SLOTS // 2, np.uint64)
        self.counts = np.zeros(_FIRST_SLOTS // 2, np.int64)
        self.num_before = np.zeros(_FIRST_SLOTS // 2, np.int32)
        self.suffixes = np.zeros(_FIRST_SLOTS // 2, np.int32)
        self._slots = np.full((_FIRST_SLOTS, 2), _EMPTY)

    def add_words(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Counts words. Their numbers int32[words], and the places of those that were new."""
        self.make_room(len(hashes))
        numbers, size_before = np.empty(len(hashes), np.int32), self.size
        new_places = np.empty(len(hashes), np.int64)
        self.size = _add_words(hashes, self._slots, self.keys, self.counts, self.size, numbers, new_places)
        return numbers, new_places[: self.size - size_before]

    def add_ngrams(self, shorter: np.ndarray, words: np.ndarray, length: int, end: int, below: "Level") -> np.ndarray:
        """Counts the n-grams of `length` words of sentences that stand one after another, each ending in word `end`.
        For each place the number int32 of the n-gram that starts there, -1 where its sentence has no room for one.

        `shorter` is what this gave for one word less; `words` uint32[places].
        """
        self.make_room(len(words))
        numbers = np.empty(len(words), np.int32)
        self.size = _add_ngrams(
            *(shorter, words, length, end, self._slots, self.keys, self.counts, self.suffixes, below.num_before),
            *(self.size, numbers),
        )
        return numbers

    def make_room(self, num_more: int) -> None:
        """Room for so many more n-grams."""
        needed = self.size + num_more
        if needed > len(self.keys):
            size = max(needed, 2 * len(self.keys))
            for name in ("keys", "counts", "num_before", "suffixes"):
                grown = np.zeros(size, getattr(self, name).dtype)
                grown[: self.size] = getattr(self, name)[: self.size]
                setattr(self, name, grown)
        if 2 * needed > len(self._slots):
            self._slots = np.full((1 << (2 * needed - 1).bit_length(), 2), _EMPTY)
            _fill(self._slots, self.keys, self.size)


def check_room(num_ngrams: int, max_ngrams: int) -> None:
    """Raises DataError where more n-grams were met than are allowed for."""
    if num_ngrams > max_ngrams:
        raise DataError(
            f"the texts hold more than {max_ngrams:,} different n-grams, at some 80 bytes each: give fewer texts, a"
            " lower order, or more --max-ngrams"
        )


@kernel
def _slot_of(slots, key):
    """The slot that holds `key`, or the free one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = avalanche(key) & mask
    while slots[slot, 1] != _EMPTY and slots[slot, 0] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def _fill(slots, keys, size):
    for number in range(size):
        slot = _slot_of(slots, keys[number])
        slots[slot, 0] = keys[number]
        slots[slot, 1] = np.uint64(number)


@kernel
def _add_words(hashes, slots, keys, counts, size, numbers, new_places):
    num_new = 0
    for place in range(len(hashes)):
        slot = _slot_of(slots, hashes[place])
        if slots[slot, 1] == _EMPTY:
            slots[slot, 0] = hashes[place]
            slots[slot, 1] = np.uint64(size)
            keys[size] = hashes[place]
            new_places[num_new] = place
            num_new += 1
            size += 1
        number = np.int64(slots[slot, 1])
        counts[number] += 1
        numbers[place] = number
    return size


@kernel
def _add_ngrams(shorter, words, length, end, slots, keys, counts, suffixes, num_before_suffix, size, numbers):
    for place in range(len(words)):
        # No n-gram goes on over the end of its sentence.
        if shorter[place] < 0 or words[place + length - 2] == end:
            numbers[place] = -1
            continue
        key = np.uint64(shorter[place]) << np.uint64(WORD_BITS) | np.uint64(words[place + length - 1])
        slot = _slot_of(slots, key)
        if slots[slot, 1] == _EMPTY:
            slots[slot, 0] = key
            slots[slot, 1] = np.uint64(size)
            keys[size] = key
            suffixes[size] = shorter[place + 1]
            num_before_suffix[shorter[place + 1]] += 1
            size += 1
        number = np.int64(slots[slot, 1])
        counts[number] += 1
        numbers[place] = number
    return size
