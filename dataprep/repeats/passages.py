"""The passages of texts that are compared: lines, paragraphs, and the windows of runs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.line_ranges import LineRanges, line_ranges
from dataprep.kernels.repeated_windows import WindowRuns, range_keys, window_runs
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.word_spans import word_spans
from dataprep.kernels.words import Words, find_words
from dataprep.repeats.config import LINE, PARAGRAPH, RepeatsConfig

BATCH_BYTES = 16 << 20
"""Of text at a time; its words, their places and the n-grams take up to some 20 times as much where words are short."""


@dataclass(frozen=True)
class Lines:
    """Lines or paragraphs of a batch that are long enough: the number of each in its text, its text and its words (all
    int64), and the key of these (uint64 each)."""

    numbers: np.ndarray
    documents: np.ndarray
    firsts: np.ndarray
    ends: np.ndarray
    high: np.ndarray
    low: np.ndarray


@dataclass(frozen=True)
class Passages:
    """Of the texts from row `start` on: their words, `lines` by kind, and the runs of windows where these are asked
    for."""

    start: int
    words: Words
    lines: dict[int, Lines]
    runs: WindowRuns | None


def passages(text: pa.LargeStringArray, config: RepeatsConfig) -> Iterator[Passages]:
    """What a run looks for in these texts, some of them at a time."""
    for start, stop in batches(text, BATCH_BYTES):
        some = text.slice(start, stop - start)
        words = find_words(some)
        lines = {}
        if config.lines is not None or config.paragraphs is not None:
            spans = word_spans(some)
            for kind in (LINE, PARAGRAPH):
                wanted = config.recurring(kind)
                if wanted is not None:
                    found = line_ranges(some, spans, kind == PARAGRAPH)
                    lines[kind] = _long_enough(found, words, wanted.min_words, kind)
        substrings = config.substrings
        runs = None if substrings is None else window_runs(words, substrings.min_words, substrings.ngram_words)
        yield Passages(start, words, lines, runs)


def _long_enough(found: LineRanges, words: Words, min_words: int, kind: int) -> Lines:
    num_lines = np.diff(found.offsets)
    documents = np.repeat(np.arange(len(num_lines)), num_lines)
    numbers = np.arange(len(documents)) - found.offsets[:-1][documents]
    kept = np.flatnonzero(found.end_words - found.first_words >= min_words)
    firsts, ends = found.first_words[kept], found.end_words[kept]
    return Lines(numbers[kept], documents[kept], firsts, ends, *range_keys(words, firsts, ends, kind))
