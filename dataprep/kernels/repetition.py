"""How much of a document repeats itself, in word n-grams, as Gopher's rules want it (Rae et al. 2021, A.1).

Two n-grams are equal when their words are (`dataprep.kernels.unicode_classes`; case does not count, and no more does
punctuation between words). Characters are the codepoints of words.

Pairs of words are compared by 64 bits made of the words' hashes, longer n-grams by what they begin and end with, which
is exact. A document of 100,000 words holds two different pairs that pass for the same with probability 3e-10.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

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


@njit(cache=True, nogil=True)
def _measure(offsets, hashes, num_characters, characters):
    """Looks at n-grams of one size after the other. An n-gram can only repeat where the (n-1)-grams at its start and
    at the next word repeat: each size leaves fewer places to look at, and most documents have none left early.

    `places` are where an n-gram begins that occurs more than once, ascending; `firsts` where it occurred first, which
    names it; the key of an n-gram is the names of the two (n-1)-grams in it.
    """
    longest = 0
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    table = np.empty(1 << table_bits(longest), np.int32)
    keys = np.empty(longest, np.uint64)
    firsts = np.empty(longest, np.int32)
    counts = np.empty(longest, np.int32)  # at the first place of an n-gram: 0 until it is met again
    ends = np.empty(longest, np.int32)  # at the first place: where its last counted occurrence ends
    places = np.empty(longest, np.int32)
    for document in range(len(offsets) - 1):
        start = offsets[document]
        num_words = offsets[document + 1] - start
        if num_words <= _FIRST:
            continue
        words = hashes[start : start + num_words]
        lengths = num_characters[start : start + num_words]
        num_places = _pairs(words, keys, places)
        for n in range(_FIRST, _LAST + 1):
            if n > _FIRST:
                num_places = _longer(places, num_places, firsts, keys)
            if num_places < 2:
                break
            top, num_places = _match(places, num_places, n, keys, table, firsts, counts, ends, lengths)
            if n <= _LAST_TOP:
                characters[n - _FIRST, document] = top
            else:
                characters[n - _FIRST, document] = _covered(places, num_places, n, firsts, lengths)


@njit(cache=True, nogil=True)
def _pairs(words, keys, places):
    """Fills in the key of each pair of words, and every place but the last; how many."""
    for i in range(len(words) - 1):
        keys[i] = words[i] * PRIME_4 + words[i + 1]
        places[i] = i
    return len(words) - 1


@njit(cache=True, nogil=True)
def _longer(places, num_places, firsts, keys):
    """Keeps the places after which the next word is one, too, and fills in their keys; how many."""
    kept = 0
    for k in range(num_places - 1):
        i = places[k]
        if places[k + 1] == i + 1:
            keys[i] = np.uint64(firsts[i]) << np.uint64(32) | np.uint64(firsts[i + 1])
            places[kept] = i
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _match(places, num_places, n, keys, table, firsts, counts, ends, lengths):
    """Fills in the firsts and keeps the places whose n-gram occurs more than once; (characters in the top n-gram,
    how many places)."""
    bits = table_bits(num_places)
    clear(table, bits)
    top_count = 1
    top_characters = 0  # of one occurrence
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
        if n <= _LAST_TOP and i >= ends[first]:
            counts[first] += 1
            ends[first] = i + n
            if counts[first] >= top_count:
                held = 0
                for j in range(i, i + n):
                    held += lengths[j]
                if counts[first] > top_count or held > top_characters:
                    top_count, top_characters = counts[first], held
    kept = 0
    for k in range(num_places):
        i = places[k]
        places[kept] = i
        kept += (firsts[i] != i) | (counts[i] > 0)
    return top_count * top_characters, kept


@njit(cache=True, nogil=True)
def _covered(places, num_places, n, firsts, lengths):
    """The characters of words that stand in an n-gram that occurred before."""
    covered = 0
    until = 0
    for k in range(num_places):
        i = places[k]
        if firsts[i] != i:
            for j in range(max(i, until), i + n):
                covered += lengths[j]
            until = i + n
    return covered
