"""Pieces of a text that go, of ranges that overlap: each byte goes once, for the first that wants it."""

from typing import NamedTuple

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.unicode_classes import WHITESPACE, unicode_classes
from dataprep.kernels.utf8 import decode
from dataprep.kernels.word_spans import WordSpans


class Pieces(NamedTuple):
    """int64 each: bytes [`starts`, `ends`) of the buffer, ascending, and the row of the range that each goes for.
    Pieces of several rows of one kind that touch are one, of the row that begins first."""

    starts: np.ndarray
    ends: np.ndarray
    rows: np.ndarray


def joined_windows(firsts: np.ndarray, window_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First words, end words and rows (int64 each) of what windows that start at `firsts` (ascending) cover: those that
    overlap or touch are one, of the first one's row."""
    begins = np.ones(len(firsts), np.bool_)
    begins[1:] = np.diff(firsts) > window_words
    rows = np.flatnonzero(begins)
    lasts = np.append(rows[1:], len(firsts)) - 1 if len(firsts) else rows
    return firsts[rows], firsts[lasts] + window_words, rows


def marked_ranges(
    firsts: np.ndarray, ends: np.ndarray, spans: WordSpans, text_start: int, text_end: int
) -> tuple[np.ndarray, np.ndarray]:
    """The bytes (int64 starts and ends, in the buffer) of the words [firsts[i], ends[i]) of one text, with the marks
    that stand at either end without whitespace between."""
    starts, stops = np.empty(len(firsts), np.int64), np.empty(len(firsts), np.int64)
    classes = unicode_classes().classes
    bounds = np.int64(text_start), np.int64(text_end)
    _marked_ranges(spans.data, spans.starts, spans.ends, firsts, ends, *bounds, classes, starts, stops)
    return starts, stops


@kernel
def _marked_ranges(data, word_starts, word_ends, firsts, ends, text_start, text_end, classes, starts, stops):
    for i in range(len(firsts)):
        first, last = firsts[i], ends[i] - 1
        before, after = text_start, text_end
        if first > 0:
            before = max(before, word_ends[first - 1])
        if last + 1 < len(word_starts):
            after = min(after, word_starts[last + 1])
        start = position = before
        while position < word_starts[first]:  # the last whitespace before the words
            codepoint, position = decode(data, position, word_starts[first])
            if classes[codepoint] & WHITESPACE != 0:
                start = position
        stop = word_ends[last]
        while stop < after:
            codepoint, position = decode(data, stop, after)
            if classes[codepoint] & WHITESPACE != 0:
                break
            stop = position
        starts[i], stops[i] = start, stop


def pieces(starts: np.ndarray, ends: np.ndarray, kinds: np.ndarray, text_start: int, text_end: int) -> Pieces:
    """What goes of the text [text_start, text_end), and for which of the rows (int64 each).

    Rows come in the order in which they have their say; `kinds` (int8) are numbers of whatever wants a range out.
    """
    owner = np.full(text_end - text_start, -1, np.int32)  # row of each byte
    n = len(starts)
    # A row may be parted by others in up to one piece more than there are others.
    found = tuple(np.empty(2 * n + 1, np.int64) for _ in range(3))
    count = _pieces(starts, ends, kinds, np.int64(text_start), owner, *found)
    return Pieces(*(values[:count].copy() for values in found))


@kernel
def _pieces(starts, ends, kinds, text_start, owner, piece_starts, piece_ends, piece_rows):
    for row in range(len(starts)):
        for byte in range(starts[row] - text_start, ends[row] - text_start):
            if owner[byte] < 0:
                owner[byte] = row
    count = 0
    is_open = False
    for byte in range(len(owner)):
        row = owner[byte]
        if row < 0:
            is_open = False
            continue
        if not is_open or kinds[row] != kinds[piece_rows[count - 1]]:
            piece_starts[count], piece_rows[count] = byte + text_start, row
            count += 1
            is_open = True
        piece_ends[count - 1] = byte + 1 + text_start
    return count
