"""Windows of words: which of their n-grams stands for each, and what they are compared by.

Winnowing (Schleimer, Wilkerson and Aiken 2003): of the n-grams within a window the one of the least hash, the last of
equal ones, is its **minimiser**. Windows of the same words have the same one, at the same place in them; neighbours
mostly share it, so a text has few minimisers and many windows.
"""

from typing import NamedTuple

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_3, PRIME_4, PRIME_5, avalanche, mix_in
from dataprep.kernels.words import Words


class WindowRuns(NamedTuple):
    """Windows in a row that have one n-gram for their minimiser, in order.

    Of run i the windows start at the words [`firsts`[i], `ends`[i]) (int64) of the batch and lie in the text
    `documents`[i] (int64); `minima` (uint64) is the hash of the n-gram. No two runs of a text have it from one place.
    """

    firsts: np.ndarray
    ends: np.ndarray
    documents: np.ndarray
    minima: np.ndarray


def window_runs(words: Words, window_words: int, ngram_words: int) -> WindowRuns:
    """The runs of all windows of `window_words` words, by their n-grams of `ngram_words` (not more than that)."""
    most = len(words.hashes)  # a run has a window, and that a first word; what no run reaches is never touched
    ngrams = np.empty(most, np.uint64)
    firsts, ends, documents = (np.empty(most, np.int64) for _ in range(3))
    minima = np.empty(most, np.uint64)
    n = _window_runs(words.hashes, words.offsets, window_words, ngram_words, ngrams, firsts, ends, documents, minima)
    return WindowRuns(*(values[:n].copy() for values in (firsts, ends, documents, minima)))


@kernel
def _window_runs(words, offsets, window_words, ngram_words, ngrams, firsts, ends, documents, minima):
    oldest_power = np.uint64(1)  # of the word that leaves
    for _ in range(ngram_words - 1):
        oldest_power = oldest_power * PRIME_1
    num_ngrams = window_words - ngram_words + 1  # in a window
    count = 0
    for document in range(len(offsets) - 1):
        first, stop = offsets[document], offsets[document + 1]
        if stop - first < window_words:
            continue
        _hash_ngrams(words, first, stop, ngram_words, oldest_power, ngrams)
        least = np.int64(-1)
        for window in range(first, stop - window_words + 1):
            newest = window + num_ngrams - 1
            before = least
            if least < window:
                least = _last_least(ngrams, window, newest + 1)
            elif ngrams[newest] <= ngrams[least]:
                least = newest
            if window == first or least != before:
                firsts[count], documents[count], minima[count] = window, document, ngrams[least]
                count += 1
            ends[count - 1] = window + 1
    return count


@kernel
def _hash_ngrams(words, first, stop, ngram_words, oldest_power, ngrams):
    """A polynomial in PRIME_1 over the word hashes, rolled (Karp and Rabin 1987), then mixed."""
    state = np.uint64(0)
    for word in range(first, first + ngram_words):
        state = state * PRIME_1 + words[word]
    ngrams[first] = avalanche(state)
    for word in range(first + ngram_words, stop):
        oldest = word - ngram_words
        state = (state - words[oldest] * oldest_power) * PRIME_1 + words[word]
        ngrams[oldest + 1] = avalanche(state)


@kernel
def _last_least(values, start, stop):
    """The place of the least of values[start:stop], the last of equal ones."""
    least = start
    for place in range(start + 1, stop):
        if values[place] <= values[least]:
            least = place
    return least


def range_keys(words: Words, firsts: np.ndarray, ends: np.ndarray, kind: int) -> tuple[np.ndarray, np.ndarray]:
    """High and low 64 bits (uint64 each) of a key for the words [firsts[i], ends[i]) of the batch: equal for equal
    words, case apart, of one kind (a number of the caller's). The two come of different functions, so that one's
    collisions are not the other's."""
    high, low = np.empty(len(firsts), np.uint64), np.empty(len(firsts), np.uint64)
    _range_keys(words.hashes, firsts, ends, np.uint64(kind), high, low)
    return high, low


@kernel
def _range_keys(words, firsts, ends, kind, high, low):
    for i in range(len(firsts)):
        length = kind * PRIME_1 + np.uint64(ends[i] - firsts[i])
        a, b = PRIME_5 + length, PRIME_3 + length
        for word in range(firsts[i], ends[i]):
            a = mix_in(a, words[word])
            b = mix_in(b, avalanche(words[word] ^ PRIME_4))
        high[i], low[i] = avalanche(a), avalanche(b)
