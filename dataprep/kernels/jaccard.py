"""Exact Jaccard similarity of documents as sets of word n-grams: what candidates of MinHash are verified with."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from dataprep.kernels.deferred import kernel
from dataprep.kernels.shingles import find_shingles
from dataprep.kernels.words import Words


@dataclass(frozen=True)
class ShingleSets:
    """The set of document i is `hashes[offsets[i]:offsets[i + 1]]` (uint64), ascending and unique."""

    offsets: np.ndarray
    hashes: np.ndarray


def shingle_sets(words: Words, ngram_words: int) -> ShingleSets:
    """The set of shingles of each document (`find_shingles`, without repeats)."""
    shingles = find_shingles(words, ngram_words)
    hashes, bounds = shingles.hashes, shingles.offsets.tolist()
    for start, end in pairwise(bounds):
        hashes[start:end].sort()  # NumPy's, with vectors: four times as fast as what numba compiles
    offsets = np.empty_like(shingles.offsets)
    _close_up(shingles.offsets, hashes, offsets)
    return ShingleSets(offsets, hashes[: offsets[-1]].copy())  # a copy frees the room of the repeats


def jaccard(sets_a: ShingleSets, rows_a: ArrayLike, sets_b: ShingleSets, rows_b: ArrayLike) -> np.ndarray:
    """|A & B| / |A | B| for each pair of document rows_a[i] of `sets_a` and rows_b[i] of `sets_b`: float64[pairs].

    0.0 for two documents without words: they share nothing. Raises IndexError for a row that is not there.
    """
    a, b = np.ascontiguousarray(rows_a, np.int64), np.ascontiguousarray(rows_b, np.int64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"pairs want two lists of rows of one length, found shapes {a.shape} and {b.shape}")
    for name, rows, sets in (("rows_a", a, sets_a), ("rows_b", b, sets_b)):
        num_sets = len(sets.offsets) - 1
        if rows.size and (rows.min() < 0 or rows.max() >= num_sets):
            raise IndexError(f"{name} runs from {rows.min()} to {rows.max()}, but there are {num_sets} sets")
    similarity = np.empty(len(a), np.float64)
    _jaccard(sets_a.offsets, sets_a.hashes, a, sets_b.offsets, sets_b.hashes, b, similarity)
    return similarity


@kernel
def _close_up(offsets, hashes, out_offsets):
    """Each document's hashes, which ascend, without repeats and one document behind the other."""
    out_offsets[0] = 0
    written = 0
    for document in range(len(offsets) - 1):
        first = written
        for i in range(offsets[document], offsets[document + 1]):
            value = hashes[i]
            if written == first or value != hashes[written - 1]:
                hashes[written] = value
                written += 1
        out_offsets[document + 1] = written


@kernel
def _jaccard(offsets_a, hashes_a, rows_a, offsets_b, hashes_b, rows_b, similarity):
    for pair in range(len(rows_a)):
        i, end_i = offsets_a[rows_a[pair]], offsets_a[rows_a[pair] + 1]
        j, end_j = offsets_b[rows_b[pair]], offsets_b[rows_b[pair] + 1]
        total = end_i - i + end_j - j
        shared = 0
        while i < end_i and j < end_j:
            a = hashes_a[i]
            b = hashes_b[j]
            shared += a == b
            i += a <= b
            j += b <= a
        similarity[pair] = shared / (total - shared) if total > 0 else 0.0
