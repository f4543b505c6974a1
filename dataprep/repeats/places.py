"""Places: where the passages stand whose signs come again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.kernels.repeated_windows import range_keys
from dataprep.kernels.text_buffers import column
from dataprep.repeats.config import SUBSTRING, RepeatsConfig
from dataprep.repeats.passages import Passages, passages
from dataprep.schemas import ID

PLACES = pa.schema(
    [
        pa.field("kind", pa.int8(), nullable=False),  # number in `config.KINDS`
        pa.field("key_high", pa.uint64(), nullable=False),  # equal for equal passages of one kind alone
        pa.field("key_low", pa.uint64(), nullable=False),
        pa.field("document", ID, nullable=False),
        pa.field("num_words", pa.int64(), nullable=False),  # of the document
        pa.field("place", pa.int64(), nullable=False),  # of a line or paragraph its number, of a window its first word
    ]
)
"""A row for each passage that may come again."""


def places(ids: pa.Array, text: pa.LargeStringArray, again: pa.Table, config: RepeatsConfig) -> pa.Table:
    """`PLACES` of the texts of a shard. `again` (`signs.SIGNS`): the signs that come again, of this shard's."""
    kinds, signs = column(again, "kind").to_numpy(), column(again, "sign").to_numpy()
    wanted = {kind: np.sort(signs[kinds == kind]) for kind in range(SUBSTRING + 1)}
    parts = [PLACES.empty_table()]
    for some in passages(text, config):
        rows = [(kind, *_lines(some, kind, wanted[kind])) for kind in some.lines]
        if some.runs is not None and config.substrings is not None:
            rows.append((SUBSTRING, *_windows(some, wanted[SUBSTRING], config.substrings.min_words)))
        num_words = np.diff(some.words.offsets)
        for kind, high, low, document, place in rows:
            columns = [
                pa.array(np.full(len(high), kind, np.int8)),
                pa.array(high),
                pa.array(low),
                ids.take(pa.array(document + some.start)),
                pa.array(num_words[document]),
                pa.array(place),
            ]
            parts.append(pa.Table.from_arrays(columns, schema=PLACES))
    return pa.concat_tables(parts)


_Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Halves of keys, texts and places."""


def _lines(some: Passages, kind: int, wanted: np.ndarray) -> _Rows:
    lines = some.lines[kind]
    at = np.flatnonzero(_is_in(lines.high, wanted))
    return lines.high[at], lines.low[at], lines.documents[at], lines.numbers[at]


def _windows(some: Passages, wanted: np.ndarray, window_words: int) -> _Rows:
    assert some.runs is not None
    runs = np.flatnonzero(_is_in(some.runs.minima, wanted))
    sizes = some.runs.ends[runs] - some.runs.firsts[runs]
    within = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    firsts = np.repeat(some.runs.firsts[runs], sizes) + within
    high, low = range_keys(some.words, firsts, firsts + window_words, SUBSTRING)
    document = np.repeat(some.runs.documents[runs], sizes)
    return high, low, document, firsts - some.words.offsets[document]


def _is_in(values: np.ndarray, ascending: np.ndarray) -> np.ndarray:
    if len(ascending) == 0:
        return np.zeros(len(values), np.bool_)
    return ascending[np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)] == values


def num_places_at_most(again: pa.Table, config: RepeatsConfig) -> int:
    """How many rows of `PLACES` such signs may lead to: an n-gram stands for no more windows than have it in them."""
    substrings = config.substrings
    windows = 0 if substrings is None else substrings.min_words - substrings.ngram_words + 1
    is_window = pc.equal(again["kind"], SUBSTRING)
    numbers = pc.multiply(again["number"], pc.if_else(is_window, windows, 1))
    return pc.sum(numbers).as_py() or 0
