"""Where the words of a text stand, and whether two words read the same: for the few texts in which a hash was found.

The words are those of `dataprep.kernels.words`, one for one; that one is fast because it keeps no places.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import MARK, SINGLE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode


class WordSpans(NamedTuple):
    """The words of a batch of texts, in order.

    Those of text i are [offsets[i], offsets[i + 1]) of `starts` and `ends` (int64), byte ranges of `data` (uint8), the
    buffer of all texts; text i begins at `text_starts[i]` of it.
    """

    offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    data: np.ndarray
    text_starts: np.ndarray


def word_spans(text: pa.LargeStringArray) -> WordSpans:
    """The words of each text, with their places. Takes up to 8 bytes of memory for each byte of text."""
    data, text_offsets = text_buffers(text)
    capacity = (int(text_offsets[-1] - text_offsets[0]) + len(text)) // 2 + 1  # as `words.find_words`
    offsets = np.empty(len(text) + 1, np.int64)
    starts, ends = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    _word_spans(data, text_offsets, unicode_classes().classes, offsets, starts, ends)
    n = int(offsets[-1])
    return WordSpans(*map(read_only, (offsets, starts[:n].copy(), ends[:n].copy(), data, text_offsets[:-1])))


@kernel
def _word_spans(data, text_offsets, classes, offsets, starts, ends):
    count = 0
    offsets[0] = 0
    for document in range(len(text_offsets) - 1):
        position, stop = text_offsets[document], text_offsets[document + 1]
        is_inside, is_unspaced = False, False
        while position < stop:
            codepoint, after = decode(data, position, stop)
            kind = classes[codepoint]
            if kind & WORD == 0:
                is_inside = False
            else:
                if not is_inside or kind & SINGLE != 0 or (is_unspaced and kind & MARK == 0):
                    starts[count] = position
                    count += 1
                    is_inside, is_unspaced = True, False
                is_unspaced = is_unspaced or kind & SINGLE != 0
                ends[count - 1] = after
            position = after
        offsets[document + 1] = count


@kernel
def same_word(data_a, start_a, end_a, data_b, start_b, end_b, lower):
    """Whether two words are the same in lower case, codepoint by codepoint."""
    while start_a < end_a and start_b < end_b:
        a, start_a = decode(data_a, start_a, end_a)
        b, start_b = decode(data_b, start_b, end_b)
        if lower[a] != lower[b]:
            return False
    return start_a == end_a and start_b == end_b
