"""Which blocks are the page's text: boosted trees over features, then over what the first ones say of the neighbours.

A forest is three arrays: `feature` (uint16) and `threshold` [tree, inner node], `value` [tree, leaf]. The
children of node k are 2k + 1 and, for what is above the threshold, 2k + 2.
"""

import numpy as np

from dataprep.kernels.block_features import NUM_FEATURES
from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_layout import ELEMENT, PARENT

CONTEXT = (
    "score", "score_before_4", "score_before_3", "score_before_2", "score_before_1", "score_after_1",
    "score_after_2", "score_after_3", "score_after_4", "share_within_3", "share_within_8", "share_own",
    "share_parent", "share_grandparent", "share_fourth", "kept_of_page", "kept_before", "greatest", "own_of_kept",
)  # fmt: skip
"""Columns that follow the features of a block in the second pass: log odds of blocks, and shares of characters that are
likely text."""

NUM_COLUMNS = NUM_FEATURES + len(CONTEXT)
_NOWHERE = -3.0  # log odds of what lies outside of the page


DEPTH = 4
"""Levels of each tree. All are complete, so that a walk takes no branch and those of several blocks overlap."""
_INNER = np.uint64(2**DEPTH - 1)  # nodes of a tree that are no leaves


@kernel
def add_scores(x, feature, threshold, value, scores):  # pragma: no cover - compiled
    """Add up what each tree gives to each row of x."""
    for tree in range(len(feature)):
        for b in range(len(x)):
            node = np.uint64(0)  # without a sign, as `feature`: an index that may be negative takes a branch
            for _ in range(DEPTH):
                above = np.uint64(x[b, feature[tree, node]] > threshold[tree, node])
                node = node + node + np.uint64(1) + above
            scores[b] += value[tree, node - _INNER]


@kernel
def _within(weight, size, reach, x, column):  # pragma: no cover - compiled
    """Of the characters of up to `reach` blocks on both sides, the share that is likely text."""
    n = len(weight)
    kept = whole = 0.0
    for b in range(min(reach, n)):
        kept += weight[b]
        whole += size[b]
    for b in range(n):
        if b + reach < n:
            kept += weight[b + reach]
            whole += size[b + reach]
        if b - reach - 1 >= 0:
            kept -= weight[b - reach - 1]
            whole -= size[b - reach - 1]
        x[b, column] = kept / max(whole, 1.0)


@kernel
def add_context(blocks, elements, scores, x):  # pragma: no cover - compiled
    """Fill the columns CONTEXT of x from the scores of the first pass."""
    n = len(blocks)
    at = NUM_FEATURES
    weight = np.zeros(n)
    size = np.zeros(n)
    sums = np.zeros((len(elements), 2))
    kept = greatest = 0.0
    for b in range(n):
        size[b] = max(x[b, 0], 1.0)
        likely = 1 / (1 + np.exp(-scores[b]))
        weight[b] = likely * size[b]
        kept += weight[b]
        greatest = max(greatest, likely)
        sums[blocks[b, ELEMENT], 0] += weight[b]
        sums[blocks[b, ELEMENT], 1] += size[b]
    for e in range(len(elements) - 1, 0, -1):
        sums[elements[e, PARENT], 0] += sums[e, 0]
        sums[elements[e, PARENT], 1] += sums[e, 1]
    _within(weight, size, np.int64(3), x, at + 9)
    _within(weight, size, np.int64(8), x, at + 10)
    so_far = 0.0
    for b in range(n):
        x[b, at] = scores[b]
        for step in range(1, 5):
            x[b, at + 5 - step] = scores[b - step] if b >= step else _NOWHERE
            x[b, at + 4 + step] = scores[b + step] if b + step < n else _NOWHERE
        e = blocks[b, ELEMENT]
        x[b, at + 18] = sums[e, 0] / max(kept, 1.0)
        for level in range(4):
            x[b, at + 11 + level] = sums[e, 0] / max(sums[e, 1], 1.0)
            e = elements[e, PARENT]
        so_far += weight[b]
        x[b, at + 15] = np.log1p(kept)
        x[b, at + 16] = so_far / max(kept, 1.0)
        x[b, at + 17] = greatest
