"""Sentences of documents, for n-gram models: a sentence is a line, and its words are `find_words`'s."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.text_buffers import text_buffers, text_from_buffers
from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.word_spans import word_spans
from dataprep.kernels.words import find_words

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
    return Sentences(line_offsets - line_offsets[0], words.offsets, words.hashes, lines)


def spell(sentences: Sentences, places: np.ndarray) -> list[str]:
    """The words at `places` (of `sentences.hashes`), lowercased codepoint by codepoint as their hashes are."""
    words = word_spans(sentences.lines)
    view, lower = words.data.data, unicode_classes().lower
    spelt = []
    for start, end in zip(words.starts[places].tolist(), words.ends[places].tolist(), strict=True):
        word = bytes(view[start:end]).decode(errors="replace")
        spelt.append(word.lower() if word.isascii() else "".join(chr(lower[ord(character)]) for character in word))
    return spelt
