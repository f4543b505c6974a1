"""Every pair of documents that shares at least a given part of its shingles: the truth that MinHash is held against.

Prefix filtering (Chaudhuri et al. 2006; Bayardo et al. 2007): documents' shingles are ordered by how rare they are. Two
sets with a Jaccard similarity of at least t, of which the larger has n shingles, share one of the first
n - ceil(t n) + 1 of each. What meets there is compared exactly. Nothing is sampled and nothing is missed.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from benchmarks.deduplication.texts import BATCH_BYTES
from dataprep.kernels.jaccard import ShingleSets, shingle_sets
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import find_words


@dataclass(frozen=True)
class Pairs:
    """Rows of texts, `low` < `high` (int64), and their Jaccard similarity (float64)."""

    low: np.ndarray
    high: np.ndarray
    similarity: np.ndarray


def sets_of(text: pa.LargeStringArray, ngram_words: int) -> ShingleSets:
    parts = [
        shingle_sets(find_words(text.slice(start, stop - start)), ngram_words)
        for start, stop in batches(text, BATCH_BYTES)
    ]
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return ShingleSets(np.append(0, np.cumsum(sizes)), np.concatenate([part.hashes for part in parts]))


def exact_pairs(sets: ShingleSets, at_least: float) -> Pairs:
    """All pairs of the sets with a similarity of `at_least`, above 0."""
    _, shingles, counts = np.unique(sets.hashes, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    ranks = rank[shingles]
    for start, stop in zip(sets.offsets[:-1], sets.offsets[1:], strict=True):
        ranks[start:stop].sort()
    lists = np.append(0, np.cumsum(np.sort(counts)))  # room for each shingle's documents
    by_size = np.argsort(np.diff(sets.offsets), kind="stable")
    a, b, similarity = _join(ranks, sets.offsets, by_size, lists, at_least)
    return Pairs(np.minimum(a, b), np.maximum(a, b), similarity)


@njit(nogil=True)
def _join(ranks, offsets, by_size, lists, at_least):
    seen = np.full(len(by_size), -1, np.int64)  # by which document this one was met last
    documents = np.empty(lists[-1], np.int64)
    filled = np.zeros(len(lists) - 1, np.int64)
    found_a, found_b, found = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024, np.float64)
    count = 0
    for a in by_size:
        first, size = offsets[a], offsets[a + 1] - offsets[a]
        prefix = size - int(np.ceil(at_least * size - 1e-9)) + 1
        for i in range(first, first + min(prefix, size)):
            rank = ranks[i]
            for place in range(lists[rank], lists[rank] + filled[rank]):
                b = documents[place]
                if seen[b] == a or offsets[b + 1] - offsets[b] < at_least * size - 1e-9:
                    continue
                seen[b] = a
                similarity = _similarity(ranks[first : offsets[a + 1]], ranks[offsets[b] : offsets[b + 1]])
                if similarity >= at_least:
                    if count == len(found):
                        found_a = np.concatenate((found_a, found_a))
                        found_b = np.concatenate((found_b, found_b))
                        found = np.concatenate((found, found))
                    found_a[count], found_b[count], found[count] = a, b, similarity
                    count += 1
            documents[lists[rank] + filled[rank]] = a
            filled[rank] += 1
    return found_a[:count], found_b[:count], found[:count]


@njit(nogil=True)
def _similarity(a, b):
    i = j = shared = 0
    while i < len(a) and j < len(b):
        shared += a[i] == b[j]
        step = a[i] <= b[j]
        j += b[j] <= a[i]
        i += step
    return shared / (len(a) + len(b) - shared)
