"""Shingles: the word n-grams of a document, as hashes. MinHash and exact Jaccard take the same ones."""

from dataclasses import dataclass

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_4, avalanche
from dataprep.kernels.words import Words


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
    """A polynomial in PRIME_1 over the word hashes, rolled (Karp and Rabin 1987), then mixed with its length."""
    for document in range(len(word_offsets) - 1):
        first = word_offsets[document]
        length = min(ngram_words, word_offsets[document + 1] - first)
        oldest_power = np.uint64(1)  # of the word that leaves
        for _ in range(length - 1):
            oldest_power = oldest_power * PRIME_1
        length_salt = np.uint64(length) * PRIME_4
        state = np.uint64(0)
        for i in range(length):
            state = state * PRIME_1 + words[first + i]
        start = offsets[document]
        for i in range(offsets[document + 1] - start):
            hashes[start + i] = avalanche(state ^ length_salt)
            if start + i + 1 < offsets[document + 1]:
                state = (state - words[first + i] * oldest_power) * PRIME_1 + words[first + i + length]
