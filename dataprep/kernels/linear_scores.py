"""A linear model over words and pairs of words, hashed into buckets: training it and scoring with it.

A document's features are its words and its pairs of neighbouring words; its logit is the mean of their weights, plus a
bias. So its length does not decide. No fused or reordered arithmetic and no exponential is used in training: the
weights come out the same on every machine.
"""

import math

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, avalanche

_SIGMOID_STEPS = 4096
_SIGMOID_RANGE = 16.0  # beyond it, a sigmoid is 0 or 1 within 2e-7


def sigmoid_table() -> np.ndarray:
    """float32[steps + 1]: 1 / (1 + e^-x) for x from -16 to 16."""
    steps = [(2 * i / _SIGMOID_STEPS - 1) * _SIGMOID_RANGE for i in range(_SIGMOID_STEPS + 1)]
    return np.array([1 / (1 + math.exp(-x)) for x in steps], np.float32)


def train_epoch(
    order: np.ndarray,
    offsets: np.ndarray,
    hashes: np.ndarray,
    targets: np.ndarray,
    importance: np.ndarray,
    learning_rate: float,
    weights: np.ndarray,
    squares: np.ndarray,
) -> None:
    """One pass of AdaGrad (Duchi et al. 2011) over passages in this `order` (int64), changing `weights` and `squares`.

    The words of passage i are `hashes[offsets[i]:offsets[i + 1]]`; `targets` float32: 1 good, 0 other; `importance`
    float32: weight in the loss. `weights` float32[buckets + 1], the bias last; `squares` sums of squared gradients.
    """
    _train_epoch(
        order, offsets, hashes, targets, importance, np.float32(learning_rate), weights, squares, sigmoid_table()
    )


def sum_weights(offsets: np.ndarray, hashes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """int64[documents]: the sums of the integer `weights` (int16[buckets]) of each document's features."""
    sums = np.empty(len(offsets) - 1, np.int64)
    _sum_weights(offsets, hashes, weights, sums)
    return sums


@kernel
def _pair(before, word):
    return avalanche(before * PRIME_1 + word)


@kernel
def _sum_weights(offsets, hashes, weights, sums):
    mask = np.uint64(len(weights) - 1)
    for document in range(len(offsets) - 1):
        first, stop = offsets[document], offsets[document + 1]
        total = np.int64(0)
        if first < stop:
            total += weights[hashes[first] & mask]
        for place in range(first + 1, stop):
            total += weights[hashes[place] & mask]
            total += weights[_pair(hashes[place - 1], hashes[place]) & mask]
        sums[document] = total


@kernel
def _sigmoid(x, table):
    at = (x / np.float32(_SIGMOID_RANGE) + np.float32(1)) * np.float32(_SIGMOID_STEPS / 2)
    return table[min(max(int(at), 0), _SIGMOID_STEPS)]


@kernel
def _step(weights, squares, bucket, gradient, learning_rate):
    squares[bucket] += gradient * gradient
    weights[bucket] -= learning_rate * gradient / np.sqrt(squares[bucket])


@kernel
def _train_epoch(order, offsets, hashes, targets, importance, learning_rate, weights, squares, table):
    bias = len(weights) - 1
    mask = np.uint64(bias - 1)
    for passage in order:
        first, stop = offsets[passage], offsets[passage + 1]
        if first == stop:
            continue
        share = np.float32(1) / np.float32(2 * (stop - first) - 1)
        total = weights[hashes[first] & mask]
        for place in range(first + 1, stop):
            total += weights[hashes[place] & mask]
            total += weights[_pair(hashes[place - 1], hashes[place]) & mask]
        error = _sigmoid(total * share + weights[bias], table) - targets[passage]
        error *= importance[passage]
        if error == np.float32(0):
            continue
        gradient = error * share
        _step(weights, squares, bias, error, learning_rate)
        _step(weights, squares, np.int64(hashes[first] & mask), gradient, learning_rate)
        for place in range(first + 1, stop):
            _step(weights, squares, np.int64(hashes[place] & mask), gradient, learning_rate)
            pair = np.int64(_pair(hashes[place - 1], hashes[place]) & mask)
            _step(weights, squares, pair, gradient, learning_rate)
