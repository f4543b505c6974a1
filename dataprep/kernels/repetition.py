"""How much of a document repeats itself, in word n-grams, as Gopher's rules want it (Rae et al. 2021, A.1).

Two n-grams are equal when their words are (`dataprep.kernels.unicode_classes`; case does not count, and no more does
punctuation between words). Characters are the codepoints of words.

Pairs of words are compared by 64 bits made of the words' hashes, longer n-grams by what they begin and end with, which
is exact. A document of 100,000 words holds two different pairs that pass for the same with probability 3e-10.
"""

from dataclasses import dataclass

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.duplicates import clear, first_equal, table_bits
from dataprep.kernels.mixing import PRIME_4
from dataprep.kernels.words import Words

TOP_SIZES = (2, 3, 4)
"""Words in the n-grams of which the most frequent one counts (Rae et al. 2021, table A1)."""

DUPLICATE_SIZES = (5, 6, 7, 8, 9, 10)
"""Words in the n-grams of which all duplicates count (same table)."""

_FIRST, _LAST_TOP, _LAST = TOP_SIZES[0], TOP_SIZES[-1], DUPLICATE_SIZES[-1]


@dataclass(frozen=True)
class Repetition:
    """Characters of words, int64[sizes, documents] each, over which `Words.num_characters` of a document sums.

    `top` by `TOP_SIZES`: what the most frequent n-gram holds, times how often it occurs. Occurrences are counted from
    the left and do not overlap; of several that are as frequent, the one with the most characters counts; 0 where none
    occurs twice.

    `duplicate` by `DUPLICATE_SIZES`: the words that stand in an n-gram that occurred before, each once. It occurred
    before where it begins at an earlier word, too; the two may overlap.
    """

    top: np.ndarray
    duplicate: np.ndarray


def repetition(words: Words) -> Repetition:
    """What repeats in each document."""
    characters = np.zeros((_LAST - _FIRST + 1, words.num_documents), np.int64)
    _measure(words.offsets, words.hashes, words.num_characters, characters)
    return Repetition(characters[: len(TOP_SIZES)], characters[len(TOP_SIZES) :])


@kernel
def _measure(offsets, hashes, num_characters, characters):
    """Looks at n-grams of one size after the other. An n-gram can only repeat where the (n-1)-grams at its start and
    at the next word repeat: each size leaves fewer places to look at, and most documents have none left early.

    `places` are where an n-gram begins that may occur more than once, ascending. `firsts` by place is where it occurred
    first, which names it; the key of an n-gram is the names of the two (n-1)-grams in it. `counts` and `ends` are kept
    at the first place: how often it was met, 0 for once, and where the last occurrence that counts ends.
    """
    longest = np.int64(0)
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    table = np.empty(1 << table_bits(longest), np.int32)
    keys = np.empty(longest, np.uint64)
    firsts, counts, ends = np.empty(longest, np.int32), np.empty(longest, np.int32), np.empty(longest, np.int32)
    places = np.empty(longest, np.int32)
    for document in range(len(offsets) - 1):
        start, stop = offsets[document], offsets[document + 1]
        lengths = num_characters[start:stop]
        num_places = _pairs(hashes[start:stop], keys, places)
        for n in range(_FIRST, _LAST + 1):
            if num_places < 2:
                break
            bits = table_bits(num_places)
            clear(table, bits)
            if n <= _LAST_TOP:
                found = _top(table, bits, keys, places, num_places, n, firsts, counts, ends, lengths)
            else:
                found = _duplicate(table, bits, keys, places, num_places, n, firsts, counts, lengths)
            characters[n - _FIRST, document] = found
            num_places = _longer(places, num_places, firsts, counts, keys)


@kernel
def _pairs(words, keys, places):
    """Fills in the key of each pair of words, and every place but the last; how many."""
    for i in range(len(words) - 1):
        keys[i] = words[i] * PRIME_4 + words[i + 1]
        places[i] = i
    return len(words) - 1


@kernel
def _top(table, bits, keys, places, num_places, n, firsts, counts, ends, lengths):
    """Fills in the firsts and counts; the characters in the top n-gram."""
    most = 1
    longest = 0  # characters of one occurrence
    for k in range(num_places):
        i = places[k]
        first = first_equal(table, bits, keys, i)
        firsts[i] = first
        counts[i] = 0
        if first == i:
            continue
        if counts[first] == 0:
            counts[first] = 1
            ends[first] = first + n
        if i >= ends[first]:
            counts[first] += 1
            ends[first] = i + n
            if counts[first] >= most:
                held = 0
                for j in range(i, i + n):
                    held += lengths[j]
                if counts[first] > most or held > longest:
                    most, longest = counts[first], held
    return most * longest


@kernel
def _duplicate(table, bits, keys, places, num_places, n, firsts, counts, lengths):
    """Fills in the firsts and counts; the characters of words in an n-gram that occurred before."""
    covered = 0
    until = 0
    for k in range(num_places):
        i = places[k]
        first = first_equal(table, bits, keys, i)
        firsts[i] = first
        counts[i] = 0
        if first != i:
            counts[first] = 1
            for j in range(max(i, until), i + n):
                covered += lengths[j]
            until = i + n
    return covered


@kernel
def _longer(places, num_places, firsts, counts, keys):
    """Leaves the places where an n-gram repeats and at the next word one does, too: there an n-gram of one word more
    may repeat. Fills in its key; how many."""
    kept = 0
    before = -2  # the last place where an n-gram repeats
    for k in range(num_places):
        i = places[k]
        if (firsts[i] != i) | (counts[i] > 0):
            if before == i - 1:
                keys[before] = np.uint64(firsts[before]) << np.uint64(32) | np.uint64(firsts[i])
                places[kept] = before
                kept += 1
            before = i
    return kept
