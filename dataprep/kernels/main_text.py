"""From markup to text: scan, features, two passes of decisions, and the blocks that are kept.

Three compiled calls and not one: the compiler works anew on all that a kernel calls, and the scan takes it longest.
"""

import numpy as np

from dataprep.kernels.block_decisions import NUM_COLUMNS, add_context, add_scores
from dataprep.kernels.block_features import NUM_STATISTICS, NUM_SUMS, features
from dataprep.kernels.block_text import MAX_BYTES_BETWEEN, write_text
from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_layout import END, START
from dataprep.kernels.markup_scan import blocks_of


@kernel
def columns_of(text, blocks, elements):  # pragma: no cover - compiled
    """x[block, column] with the features filled in and room for the context."""
    x = np.zeros((len(blocks), NUM_COLUMNS), np.float32)
    stats = np.zeros((len(blocks), NUM_STATISTICS), np.float32)
    sums = np.zeros((len(elements), NUM_SUMS))
    if len(blocks):
        features(text, blocks, elements, stats, sums, x)
    return x


@kernel
def _written(text, blocks, elements, is_kept):  # pragma: no cover - compiled
    room = 0
    for b in range(len(blocks)):
        if is_kept[b]:
            room += blocks[b, END] - blocks[b, START] + MAX_BYTES_BETWEEN
    out = np.empty(room, np.uint8)
    return out[: write_text(text, blocks, elements, is_kept, out)]


@kernel
def _kept(text, blocks, elements, first, second, min_score):  # pragma: no cover - compiled
    """bool[blocks]: whether the score in the second pass is above `min_score`."""
    x = columns_of(text, blocks, elements)
    scores = np.full(len(blocks), first[3][0])
    add_scores(x, first[0], first[1], first[2], scores)
    add_context(blocks, elements, scores, x)
    scores[:] = second[3][0]
    add_scores(x, second[0], second[1], second[2], scores)
    return scores > min_score


def whole_text(page: np.ndarray) -> np.ndarray:
    """All that a reader would see of a page (uint8, UTF-8), likewise."""
    text, blocks, elements = blocks_of(page)
    return _written(text, blocks, elements, np.ones(len(blocks), np.bool_))


def main_text(page: np.ndarray, first: tuple, second: tuple, min_score: float) -> np.ndarray:
    """The blocks whose score in the second pass is above `min_score`, as UTF-8. Both forests as (feature, threshold,
    value, base score)."""
    text, blocks, elements = blocks_of(page)
    return _written(text, blocks, elements, _kept(text, blocks, elements, first, second, min_score))
