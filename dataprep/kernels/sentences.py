"""Sentences of documents, for n-gram models: a sentence is a line, and its words are `find_words`'s."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.text_buffers import text_buffers, text_from_buffers
from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.words import _go_on, find_words

_LINE_FEED = 10


@dataclass(frozen=True)
class Sentences:
    """The lines of a batch of documents, and their words.

    The lines of document i are [line_offsets[i], line_offsets[i + 1]); the words of line j are
    `hashes[offsets[j]:offsets[j + 1]]` (uint64, of the lowercased word). Lines without words are among them.
    """

    line_offsets: np.ndarray
    offsets: np.ndarray
    hashes: np.ndarray
    num_characters: np.ndarray  # int32[words], codepoints
    lines: pa.LargeStringArray  # over the bytes of the documents


def find_sentences(text: pa.LargeStringArray) -> Sentences:
    """The sentences of each text; memory as for `find_words`."""
    data, text_offsets = text_buffers(text)
    first, last = int(text_offsets[0]), int(text_offsets[-1])
    after_line_feeds = np.flatnonzero(data[first:last] == _LINE_FEED) + (first + 1)
    # An end of a document that is the end of a line too stands there twice: an empty line between them.
    bounds = np.sort(np.concatenate([text_offsets, after_line_feeds]))
    line_offsets = np.arange(len(text_offsets)) + np.searchsorted(after_line_feeds, text_offsets, side="right")
    # A line feed at the very end of document i lies before text_offsets[i + 1]: its empty line is document i's.
    lines = text_from_buffers(data, bounds)
    words = find_words(lines)
    return Sentences(line_offsets - line_offsets[0], words.offsets, words.hashes, words.num_characters, lines)


def spell(sentences: Sentences, places: np.ndarray) -> list[str]:
    """The words at `places` (of `sentences.hashes`), lowercased codepoint by codepoint as their hashes are."""
    data, offsets = text_buffers(sentences.lines)
    tables = unicode_classes()
    starts = np.empty(len(sentences.hashes), np.int64)
    _find_starts(data, offsets, tables.classes, tables.lower, starts)
    view, lower = data.data, tables.lower
    spelt = []
    for start, length in zip(starts[places].tolist(), sentences.num_characters[places].tolist(), strict=True):
        word = bytes(view[start : start + 4 * length]).decode(errors="ignore")[:length]  # 4: bytes of a codepoint
        spelt.append(word.lower() if word.isascii() else "".join(chr(lower[ord(character)]) for character in word))
    return spelt


@kernel
def _find_starts(data, offsets, classes, lower, starts):
    """Where each word begins, in the order of `find_words`."""
    count = 0
    for line in range(len(offsets) - 1):
        position = offsets[line]
        while position < offsets[line + 1]:
            start = position
            state, none, no_class = np.uint64(0), np.int64(0), np.uint64(0)  # of the types that `_find_words` gives
            position, _, length, _ = _go_on(data, position, offsets[line + 1], classes, lower, state, none, no_class)
            if length > 0:
                starts[count] = start
                count += 1
