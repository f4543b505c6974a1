"""Interpolated Kneser-Ney smoothing with three discounts a length (Chen and Goodman 1998, sections 4.2 and 4.4).

    p(w | h) = max(a(hw) - D(a(hw)), 0) / sum_v a(hv)  +  b(h) p(w | h')        h': h without its first word

a(g) is how often g occurs where g has the model's full length or begins a sentence, and else how many different words
stand before it. D(1), D(2) and D(3 or more) follow from how many n-grams have a = 1, 2, 3, 4 (their equation 26). The
unigrams are interpolated with the uniform distribution over the vocabulary.

An n-gram that is left out of the model (rarer than its cutoff, or with `<unk>` in it) gives all its mass to b(h): so
the probabilities of all words after any history still sum to 1, and `<unk>` is as likely as a word that was hardly
seen. It is not the sum of what all unknown words took: else a text of nothing but unknown words would be likely.
"""

from dataclasses import dataclass

import numpy as np

from dataprep.errors import DataError
from dataprep.kernels.ngram_counts import WORD_BITS
from dataprep.ngram_counts import BEGIN, UNKNOWN, NgramCounts

FALLBACK_DISCOUNTS = np.array([0.0, 0.5, 1.0, 1.5])
"""Where texts are too small for the formula: KenLM's `--discount_fallback`."""


@dataclass(frozen=True)
class NgramProbabilities:
    """The n-grams of one length: row i is n-gram `numbers[i]` of that length's `Level`.

    `words` int32[rows, length]; `log10_probabilities` float64[rows]; `log10_backoffs` float64[rows], 0 where nothing
    follows, or where the length is the model's.
    """

    numbers: np.ndarray
    words: np.ndarray
    log10_probabilities: np.ndarray
    log10_backoffs: np.ndarray


@dataclass(frozen=True)
class _Estimates:
    """Of every n-gram of one length: whether the model holds it, its words, its probability; b of it as a history."""

    kept: np.ndarray
    words: np.ndarray
    probabilities: np.ndarray
    backoffs: np.ndarray


def estimate(counts: NgramCounts, cutoffs: tuple[int, ...]) -> list[NgramProbabilities]:
    """The n-grams of each length that the model holds. An n-gram of k words that occurs `cutoffs[k - 1]` times or less
    is left out; cutoffs must not fall, so that what an n-gram begins and ends with is there whenever it is.

    `cutoffs[0]` must be 0: rare words are `<unk>` instead. The begin of a sentence has a probability of its own, -99.
    """
    if list(cutoffs) != sorted(cutoffs) or cutoffs[0] != 0 or len(cutoffs) != len(counts.levels):
        raise DataError(f"cutoffs {cutoffs}: expected {len(counts.levels)} numbers from 0 that do not fall")
    lengths = [_unigrams(counts)]
    for length, cutoff in enumerate(cutoffs[1:], 2):
        lengths.append(_higher(counts, length, cutoff, lengths[-1]))
    return [_in_logarithms(found) for found in lengths]


def _unigrams(counts: NgramCounts) -> _Estimates:
    level, num_words = counts.levels[0], len(counts.vocabulary)
    # The begin of a sentence is never predicted.
    adjusted = (level.num_before if len(counts.levels) > 1 else level.counts)[:num_words].astype(np.float64)
    adjusted[BEGIN] = 0
    known = np.ones(num_words, np.bool_)
    known[UNKNOWN] = known[BEGIN] = False
    total = adjusted.sum()
    discounts = _discounts(adjusted[known])
    discounted, freed = _discounted(adjusted, known, discounts)
    probabilities = discounted / total + freed.sum() / total / (num_words - 1)  # of all words but the begin
    probabilities[BEGIN] = 0
    words = np.arange(num_words, dtype=np.int32)[:, None]
    return _Estimates(np.ones(num_words, np.bool_), words, probabilities, np.ones(num_words))


def _higher(counts: NgramCounts, length: int, cutoff: int, below: _Estimates) -> _Estimates:
    """The n-grams of `length` words; fills in the backoffs of `below`, their histories."""
    level = counts.levels[length - 1]
    size = level.size
    prefixes = (level.keys[:size] >> np.uint64(WORD_BITS)).astype(np.int64)
    last_words = (level.keys[:size] & np.uint64((1 << WORD_BITS) - 1)).astype(np.int32)
    words = np.concatenate([below.words[prefixes], last_words[:, None]], axis=1)
    occurrences = level.counts[:size]
    if length == len(counts.levels):
        adjusted = occurrences.astype(np.float64)
    else:
        adjusted = np.where(words[:, 0] == BEGIN, occurrences, level.num_before[:size]).astype(np.float64)
    known = ~(words == UNKNOWN).any(axis=1)
    kept = known & (occurrences > cutoff)
    totals = np.bincount(prefixes, adjusted, len(below.kept))
    discounted, freed = _discounted(adjusted, kept, _discounts(adjusted[known]))
    followed = totals > 0
    below.backoffs[followed] = np.bincount(prefixes, freed, len(below.kept))[followed] / totals[followed]
    probabilities = (
        discounted / totals[prefixes] + below.backoffs[prefixes] * below.probabilities[level.suffixes[:size]]
    )
    return _Estimates(kept, words, probabilities, np.ones(size))


def _discounted(adjusted: np.ndarray, kept: np.ndarray, discounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is left of each count, and what it frees for shorter histories."""
    left = np.where(kept, adjusted - discounts[np.minimum(adjusted, 3).astype(np.int64)], 0.0)
    return left, adjusted - left


def _discounts(adjusted: np.ndarray) -> np.ndarray:
    """D(0), D(1), D(2), D(3 or more)."""
    with_count = np.array([np.count_nonzero(adjusted == count) for count in range(5)], np.float64)
    if (with_count[1:] == 0).any():
        return FALLBACK_DISCOUNTS
    y = with_count[1] / (with_count[1] + 2 * with_count[2])
    discounts = np.array([0.0, *(k - (k + 1) * y * with_count[k + 1] / with_count[k] for k in (1, 2, 3))])
    return discounts if (discounts[1:] > 0).all() else FALLBACK_DISCOUNTS


def _in_logarithms(found: _Estimates) -> NgramProbabilities:
    numbers = np.flatnonzero(found.kept)
    probabilities = found.probabilities[numbers]
    logarithms = np.full(len(numbers), -99.0)  # what ARPA files say of 0
    np.log10(probabilities, out=logarithms, where=probabilities > 0)
    return NgramProbabilities(numbers, found.words[numbers], logarithms, np.log10(found.backoffs[numbers]))
