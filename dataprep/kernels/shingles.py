"""Shingles: the word n-grams of a document, as hashes. MinHash and exact Jaccard take the same ones."""

from dataclasses import dataclass

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_4, avalanche
from dataprep.kernels.words import Words

_UNROLLED = 5
_1, _2, _3, _4 = (np.uint64(n) for n in range(1, 5))
_POWER_2, _POWER_3, _POWER_4 = (np.uint64(pow(int(PRIME_1), n, 1 << 64)) for n in range(2, 5))


@dataclass(frozen=True)
class Shingles:
    """The shingles of document i are `hashes[offsets[i]:offsets[i + 1]]` (uint64), in order, repeats included."""

    offsets: np.ndarray
    hashes: np.ndarray


def find_shingles(words: Words, ngram_words: int) -> Shingles:
    """The hashes of every `ngram_words` consecutive words of each document.

    A document with fewer words has one shingle of all its words; one without words has none.
    """
    num_words = np.diff(words.offsets)
    num_shingles = np.where(num_words > 0, np.maximum(num_words - ngram_words + 1, 1), 0)
    offsets = np.zeros(len(words.offsets), np.int64)
    np.cumsum(num_shingles, out=offsets[1:])
    hashes = np.empty(offsets[-1], np.uint64)
    _find_shingles(words.offsets, words.hashes, ngram_words, offsets, hashes)
    return Shingles(offsets, hashes)


@kernel
def _find_shingles(word_offsets, words, ngram_words, offsets, hashes):
    for document in range(len(word_offsets) - 1):
        write_shingles(
            words, word_offsets[document], word_offsets[document + 1], ngram_words, hashes, offsets[document]
        )


@kernel
def write_shingles(words, first, last, ngram_words, hashes, start):
    """Writes the shingles of the words [first, last) of one document to `hashes` from `start` on; how many they are.

    A polynomial in PRIME_1 over the word hashes, rolled (Karp and Rabin 1987), then mixed with its length. Of five
    words, as nearly everybody takes, each is computed by itself: five products that wait for nothing take half the time
    of two that wait for those before them.
    """
    length = min(ngram_words, last - first)
    if length == 0:
        return 0
    oldest_power = np.uint64(1)  # of the word that leaves
    for _ in range(length - 1):
        oldest_power = oldest_power * PRIME_1
    length_salt = np.uint64(length) * PRIME_4
    state = np.uint64(0)
    for i in range(length):
        state = state * PRIME_1 + words[first + i]
    hashes[start] = avalanche(state ^ length_salt)
    num_shingles = last - first - length + 1
    if length == _UNROLLED:
        for i in range(1, num_shingles):
            at = np.uint64(first + i)  # unsigned, so that no index counts from the end
            state = words[at] * _POWER_4 + words[at + _1] * _POWER_3 + words[at + _2] * _POWER_2
            state += words[at + _3] * PRIME_1 + words[at + _4]
            hashes[np.uint64(start + i)] = avalanche(state ^ length_salt)
        return num_shingles
    for i in range(1, num_shingles):
        oldest = first + i - 1
        state = (state - words[oldest] * oldest_power) * PRIME_1 + words[oldest + length]
        hashes[start + i] = avalanche(state ^ length_salt)
    return num_shingles
