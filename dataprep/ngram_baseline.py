"""Yardsticks for a language model: what counting single tokens and pairs of them achieves.

A model that does not beat the unigram has learnt nothing; one that beats the bigram uses more than the last token.
Both losses are over the same positions as the model's: every held-out token but the first, which has no context.
"""

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.integer]


def unigram_loss(training: Tokens, heldout: Tokens, vocab_size: int) -> float:
    """Mean cross-entropy in nats per token of p(w) = (c(w) + 1) / (n + V): add-one over `training` [n] (Laplace)."""
    return float(-np.log(_unigram(training, vocab_size)[heldout[1:]]).mean())


def bigram_loss(training: Tokens, heldout: Tokens, vocab_size: int) -> float:
    """Mean cross-entropy in nats per token of the bigram interpolated with the add-one unigram, after Witten and Bell:

        p(w | h) = (c(h, w) + t(h) p(w)) / (c(h) + t(h))

    t(h): how many different tokens follow h. After a token never seen before another, p(w | h) = p(w).
    Source: Witten and Bell 1991, as an interpolation in Chen and Goodman 1998, 2.4.
    """
    unigram = _unigram(training, vocab_size)
    pairs, counts = np.unique(_pair_codes(training, vocab_size), return_counts=True)
    firsts = pairs // vocab_size
    followers = np.bincount(firsts, weights=counts, minlength=vocab_size)
    kinds = np.bincount(firsts, minlength=vocab_size)

    history, following = heldout[:-1].astype(np.int64), heldout[1:].astype(np.int64)
    seen = _lookup(pairs, counts, _pair_codes(heldout, vocab_size))
    total = followers[history] + kinds[history]
    smoothed = (seen + kinds[history] * unigram[following]) / np.maximum(total, 1)
    return float(-np.log(np.where(total > 0, smoothed, unigram[following])).mean())


def _unigram(training: Tokens, vocab_size: int) -> npt.NDArray[np.float64]:
    return (np.bincount(training, minlength=vocab_size) + 1) / (training.size + vocab_size)


def _pair_codes(tokens: Tokens, vocab_size: int) -> npt.NDArray[np.int64]:
    wide = tokens.astype(np.int64)  # V^2 does not fit the tokens' own type
    return wide[:-1] * vocab_size + wide[1:]


def _lookup(keys: npt.NDArray[np.int64], values: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray:
    """The value of each wanted key, 0 where it is not among the sorted keys."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[at] == wanted, values[at], 0)
