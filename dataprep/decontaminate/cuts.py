"""Spans that are cut out of documents in which evaluation texts stand, and the documents without them."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import schemas
from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.decontaminate.decide import TOO_LITTLE, verdicts
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column, text_buffers
from dataprep.kernels.text_view import surviving_text
from dataprep.kernels.word_spans import WordSpans, word_spans

_MARKS_BEFORE, _MARKS_AFTER = re.compile(r"\S*\Z"), re.compile(r"\S*")


@dataclass(frozen=True)
class Decided:
    """`verdicts` (`schemas.VERDICTS`; of a kept document `num_bytes` is what the cuts leave) and `cuts`
    (`schemas.CUTS`) of those that are kept."""

    verdicts: pa.Table
    cuts: pa.Table


def decide_cuts(survivors: pa.Table, hits: pa.Table, texts: pa.Table, config: DecontaminateConfig) -> Decided:
    """What goes of each document, by its hits (`scan.HITS`).

    `survivors` holds `id` and `num_bytes`, `texts` holds `id` and the surviving `text` of at least those with a hit.
    Matches, widened by `widen_words`, that leave fewer than `ngram_words` words between them are one. Marks that stand
    at a cut word without a blank go with it.
    """
    wanted = pc.unique(hits["document"])
    texts = texts.filter(pc.is_in(texts["id"], value_set=wanted))
    if texts.num_rows != len(wanted):
        missing = len(wanted) - texts.num_rows
        raise CorruptDataError(f"{missing} documents with a match have no text: are both of the same shard?")
    ids, text = column(texts, "id"), column(texts, "text")
    spans, (_, offsets) = word_spans(text), text_buffers(text)
    rows = pc.index_in(column(hits, "document"), value_set=ids).to_numpy()
    order = np.argsort(rows, kind="stable")
    row_of_hit, first = rows[order], column(hits, "position").to_numpy()[order]
    end = first + column(hits, "num_words").to_numpy()[order]
    starts, ends, words_left = [], [], []
    for row in range(len(ids)):
        of_row = slice(*np.searchsorted(row_of_hit, [row, row + 1]))
        num_words = int(spans.offsets[row + 1] - spans.offsets[row])
        ranges = _merged(first[of_row], end[of_row], num_words, config)
        places = [_bytes_of(a, b, row, spans, int(offsets[row + 1])) for a, b in ranges]
        starts.append([a for a, _ in places])
        ends.append([b for _, b in places])
        words_left.append(num_words - sum(b - a for a, b in ranges))
    cuts = pa.table(
        [ids, pa.array(np.diff(offsets)), pa.array(starts, pa.list_(pa.int64())), pa.array(ends, pa.list_(pa.int64()))],
        schema=schemas.CUTS,
    )
    return _decided(survivors, cuts, np.array(words_left, np.int64), config)


def _merged(first: np.ndarray, end: np.ndarray, num_words: int, config: DecontaminateConfig) -> list[tuple[int, int]]:
    """Ranges of words that go, ascending."""
    ranges: list[tuple[int, int]] = []
    wide = config.widen_words
    for a, b in sorted(zip(first.tolist(), end.tolist(), strict=True)):
        begin, stop = max(a - wide, 0), min(b + wide, num_words)
        if ranges and begin - ranges[-1][1] < config.ngram_words:
            ranges[-1] = (ranges[-1][0], max(stop, ranges[-1][1]))
        else:
            ranges.append((begin, stop))
    return ranges


def _bytes_of(first: int, end: int, row: int, spans: WordSpans, text_end: int) -> tuple[int, int]:
    """The bytes of words [first, end) of a text, with the marks at either end."""
    text_start = int(spans.text_starts[row])
    base, stop = int(spans.offsets[row]), int(spans.offsets[row + 1])
    before = int(spans.ends[base + first - 1]) if first else text_start
    after = int(spans.starts[base + end]) if base + end < stop else text_end
    start, close = int(spans.starts[base + first]), int(spans.ends[base + end - 1])
    leading = _MARKS_BEFORE.search(bytes(spans.data[before:start]).decode())
    trailing = _MARKS_AFTER.match(bytes(spans.data[close:after]).decode())
    assert leading and trailing, "both match nothing, too"
    return start - len(leading[0].encode()) - text_start, close + len(trailing[0].encode()) - text_start


def _decided(survivors: pa.Table, cuts: pa.Table, words_left: np.ndarray, config: DecontaminateConfig) -> Decided:
    too_little = words_left < config.min_words_left
    values = pa.array(words_left.astype(np.float64), mask=~too_little)
    at = pc.index_in(column(survivors, "id"), value_set=column(cuts, "id"))
    decided = verdicts(survivors, TOO_LITTLE, values.take(at), config.min_words_left)
    kept_cuts = cuts.filter(pa.array(~too_little))
    lost = num_cut_bytes(kept_cuts).take(pc.index_in(column(survivors, "id"), value_set=column(kept_cuts, "id")))
    left = pc.subtract(column(survivors, "num_bytes"), pc.fill_null(lost, 0))
    at_sizes = schemas.VERDICTS.get_field_index("num_bytes")
    decided = decided.set_column(at_sizes, schemas.VERDICTS.field(at_sizes), left)
    return Decided(decided, kept_cuts.combine_chunks())


def num_cut_bytes(cuts: pa.Table) -> pa.Array:
    """int64: of each row of `schemas.CUTS`."""
    sums = [
        sum(ends) - sum(starts)
        for starts, ends in zip(cuts["starts"].to_pylist(), cuts["ends"].to_pylist(), strict=True)
    ]
    return pa.array(sums, pa.int64())


def without_cuts(ids: pa.Array, text: pa.LargeStringArray, cuts: pa.Table) -> pa.LargeStringArray:
    """The texts without what `cuts` (`schemas.CUTS`, by any of the ids) takes out of them.

    Raises CorruptDataError for a document that is not here, and for spans that do not fit the text, as
    `text_view.surviving_text`.
    """
    if cuts.num_rows == 0:
        return text
    at = pc.index_in(column(cuts, "id"), value_set=ids)
    if at.null_count:
        missing = column(cuts, "id").filter(pc.is_null(at))[0].as_py().hex()
        raise CorruptDataError(
            f"{at.null_count} of {cuts.num_rows} documents with cuts are not kept, the first is {missing}"
        )
    rows = at.to_numpy()
    order = np.argsort(rows)
    cuts, cut = cuts.take(pa.array(order)), text.take(pa.array(rows[order]))
    is_cut = np.zeros(len(ids), np.bool_)
    is_cut[rows] = True
    return pc.replace_with_mask(text, pa.array(is_cut), surviving_text(cut, _edits(cuts)))


def _edits(cuts: pa.Table) -> pa.Table:
    """`schemas.EDITS` of the same spans, which put nothing in their place."""
    nothing = np.zeros(cuts.num_rows, np.int64)
    zeros = [[0] * len(starts) for starts in cuts["starts"].to_pylist()]
    columns = {
        "id": cuts["id"],
        "num_bytes": cuts["num_bytes"],
        "num_cut_bytes": num_cut_bytes(cuts),
        "num_added_bytes": nothing,
        "cut_starts": cuts["starts"],
        "cut_ends": cuts["ends"],
        "cut_rules": zeros,
        "added_lengths": zeros,
        "added_text": [""] * cuts.num_rows,
        "num_words_in_lines": nothing,
        "num_words_in_refinedweb_lines": nothing,
    }
    return pa.table(columns, schemas.EDITS)
