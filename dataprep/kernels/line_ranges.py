"""Lines or paragraphs of a text, by their bytes and by their words."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import line_end
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import WHITESPACE, unicode_classes
from dataprep.kernels.utf8 import decode
from dataprep.kernels.word_spans import WordSpans

_LINE_FEED = 0x0A


class LineRanges(NamedTuple):
    """The lines, or paragraphs, of a batch of texts that hold a word, in order.

    Those of text i are [offsets[i], offsets[i + 1]) of the other arrays (int64): the words [`first_words`, `end_words`)
    of the batch, and the bytes [`starts`, `ends`) of its buffer, the line feed at the end among them.
    """

    offsets: np.ndarray
    first_words: np.ndarray
    end_words: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def line_ranges(text: pa.LargeStringArray, spans: WordSpans, paragraphs: bool) -> LineRanges:
    """The lines of each text, or its paragraphs: lines between those of nothing but whitespace. `spans`: its words."""
    data, offsets = text_buffers(text)
    most = int(np.count_nonzero(data[offsets[0] : offsets[-1]] == _LINE_FEED)) + len(text)
    of_text = np.empty(len(offsets), np.int64)
    parts = [np.empty(most, np.int64) for _ in range(4)]
    classes = unicode_classes().classes
    _line_ranges(data, offsets, spans.offsets, spans.starts, classes, paragraphs, of_text, *parts)
    return LineRanges(read_only(of_text), *(read_only(part[: of_text[-1]].copy()) for part in parts))


@kernel
def _line_ranges(
    data, offsets, word_offsets, word_starts, classes, paragraphs, of_text, first_words, end_words, starts, ends
):
    count = 0
    of_text[0] = 0
    for document in range(len(offsets) - 1):
        position, stop = offsets[document], offsets[document + 1]
        word, last_word = word_offsets[document], word_offsets[document + 1]
        is_open = False  # a paragraph that the next line belongs to
        while position < stop:
            end = line_end(data, position, stop)
            after = min(end + 1, stop)
            first = word
            while word < last_word and word_starts[word] < end:
                word += 1
            if paragraphs and is_open and not _is_blank(data, position, end, classes):
                end_words[count - 1], ends[count - 1] = word, after
            elif word > first or (paragraphs and not _is_blank(data, position, end, classes)):
                first_words[count], end_words[count] = first, word
                starts[count], ends[count] = position, after
                count += 1
                is_open = True
            else:
                is_open = False
                count -= _is_without_words(paragraphs, count, of_text[document], first_words, end_words)
            position = after
        count -= _is_without_words(paragraphs, count, of_text[document], first_words, end_words)
        of_text[document + 1] = count


@kernel
def _is_without_words(paragraphs, count, first, first_words, end_words):
    """Whether the paragraph that ended last, of the text that begins at `first`, is but marks."""
    return np.int64(paragraphs and count > first and first_words[count - 1] == end_words[count - 1])


@kernel
def _is_blank(data, position, end, classes):
    while position < end:
        codepoint, position = decode(data, position, end)
        if classes[codepoint] & WHITESPACE == 0:
            return False
    return True
