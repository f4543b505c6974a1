"""From markup to text in one compiled call: scan, features, two passes of decisions, and the blocks that are kept."""

import numpy as np
from numba import njit

from dataprep.kernels.block_decisions import NUM_COLUMNS, add_context, add_scores
from dataprep.kernels.block_features import NUM_STATISTICS, NUM_SUMS, features
from dataprep.kernels.block_text import MAX_BYTES_BETWEEN, write_text
from dataprep.kernels.markup_layout import BLOCK_FIELDS, ELEMENT_FIELDS, END, START
from dataprep.kernels.markup_scan import scan


@njit(cache=True, nogil=True)
def blocks_of(page):  # pragma: no cover - compiled
    """(text, blocks, elements) of a page in UTF-8, as `markup_scan` says."""
    num_marks = 0
    for byte in page:
        num_marks += byte == 60  # <
    text = np.empty(len(page) + len(page) // 5 + 64, np.uint8)
    blocks = np.empty((num_marks + 3, BLOCK_FIELDS), np.int64)
    elements = np.empty((num_marks + 3, ELEMENT_FIELDS), np.int64)
    num_blocks, num_elements = scan(page, text, blocks, elements)
    return text, blocks[:num_blocks], elements[:num_elements]


@njit(cache=True, nogil=True)
def columns_of(text, blocks, elements):  # pragma: no cover - compiled
    """x[block, column] with the features filled in and room for the context."""
    x = np.zeros((len(blocks), NUM_COLUMNS), np.float32)
    stats = np.zeros((len(blocks), NUM_STATISTICS), np.float32)
    sums = np.zeros((len(elements), NUM_SUMS))
    if len(blocks):
        features(text, blocks, elements, stats, sums, x)
    return x


@njit(cache=True, nogil=True)
def _written(text, blocks, elements, is_kept):  # pragma: no cover - compiled
    room = 0
    for b in range(len(blocks)):
        if is_kept[b]:
            room += blocks[b, END] - blocks[b, START] + MAX_BYTES_BETWEEN
    out = np.empty(room, np.uint8)
    return out[: write_text(text, blocks, elements, is_kept, out)]


@njit(cache=True, nogil=True)
def whole_text(page):  # pragma: no cover - compiled
    """All that a reader would see of a page, as UTF-8."""
    text, blocks, elements = blocks_of(page)
    return _written(text, blocks, elements, np.ones(len(blocks), np.bool_))


@njit(cache=True, nogil=True)
def main_text(page, first, second, min_score):  # pragma: no cover - compiled
    """The blocks whose score in the second pass is above `min_score`, as UTF-8. Both forests as (feature, threshold,
    value, base score)."""
    text, blocks, elements = blocks_of(page)
    x = columns_of(text, blocks, elements)
    scores = np.full(len(blocks), first[3][0])
    add_scores(x, first[0], first[1], first[2], scores)
    add_context(blocks, elements, scores, x)
    scores[:] = second[3][0]
    add_scores(x, second[0], second[1], second[2], scores)
    return _written(text, blocks, elements, scores > min_score)
