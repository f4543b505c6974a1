"""What goes of each document, and the documents that are left with too little."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id, schemas
from dataprep.decontaminate.decide import verdicts
from dataprep.errors import CorruptDataError
from dataprep.kernels.cut_pieces import joined_windows, marked_ranges, pieces
from dataprep.kernels.line_ranges import LineRanges, line_ranges
from dataprep.kernels.text_buffers import column, text_buffers
from dataprep.kernels.word_spans import WordSpans, word_spans
from dataprep.repeats.config import KINDS, LINE, PARAGRAPH, SUBSTRING, RepeatsConfig
from dataprep.schemas import ID

TOO_LITTLE = "too_little_without_repeats"

REPEATS = pa.schema(
    [
        pa.field("document", ID, nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # of `config.KINDS`
        # A half-open range of bytes of the text as it comes into the step.
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("first_in", ID, nullable=False),  # the document that holds the first of what begins here
    ]
)
"""A row for each piece that goes, by document and place; of documents that are dropped for it, too."""


@dataclass(frozen=True)
class Decided:
    """`verdicts` (`schemas.VERDICTS`; of a kept document `num_bytes` is what the cuts leave), `cuts` (`schemas.CUTS`)
    of those that are kept, and `repeats` (`REPEATS`)."""

    verdicts: pa.Table
    cuts: pa.Table
    repeats: pa.Table


def decide_cuts(survivors: pa.Table, later: pa.Table, texts: pa.Table, config: RepeatsConfig) -> Decided:
    """What goes of the documents of a shard, by the passages that stand elsewhere before (`later.LATER`).

    `survivors` holds `id` and `num_bytes`, `texts` holds `id` and `text` of those with such a passage. A line or
    paragraph goes with its line feed, a run of words with the marks that stand at it without whitespace. Raises
    CorruptDataError where a text is missing, or has not the passage.
    """
    ids, text = column(texts, "id"), column(texts, "text")
    rows = pc.index_in(column(later, "document"), value_set=ids)
    if rows.null_count:
        raise CorruptDataError(f"{rows.null_count} passages are of documents without a text: are both of one shard?")
    spans, (_, offsets) = word_spans(text), text_buffers(text)
    lines = {kind: line_ranges(text, spans, kind == PARAGRAPH) for kind in (LINE, PARAGRAPH) if config.recurring(kind)}
    order = np.lexsort((column(later, "place").to_numpy(), column(later, "kind").to_numpy(), rows.to_numpy()))
    later, row_of = later.take(pa.array(order)), rows.to_numpy()[order]
    kinds, place = column(later, "kind").to_numpy(), column(later, "place").to_numpy()
    bounds = np.searchsorted(row_of, np.arange(len(ids) + 1))
    words_left, found = np.zeros(len(ids), np.int64), []
    for row in range(len(ids)):
        of_row = slice(int(bounds[row]), int(bounds[row + 1]))
        wanted = _ranges(row, kinds[of_row], place[of_row], spans, lines, offsets, config)
        made = pieces(*wanted[:3], int(offsets[row]), int(offsets[row + 1]))
        words_left[row] = _num_words_left(row, made.starts, made.ends, spans)
        passage = wanted[3][made.rows] + of_row.start
        found.append((np.full(len(passage), row), made.starts - offsets[row], made.ends - offsets[row], passage))
    repeats = _repeats(found, ids, later)
    return _decided(survivors, texts, repeats, words_left, config)


_Ranges = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Bytes from and to, kind, and number of the first passage behind it."""


def _ranges(
    row: int,
    kinds: np.ndarray,
    place: np.ndarray,
    spans: WordSpans,
    lines: dict[int, LineRanges],
    offsets: np.ndarray,
    config: RepeatsConfig,
) -> _Ranges:
    """What the passages of one text, which ascend by kind and place, want out of it."""
    parts: list[_Ranges] = []
    for kind, found in lines.items():
        passage = np.flatnonzero(kinds == kind)
        at = found.offsets[row] + place[passage]
        _check_places(at, int(found.offsets[row + 1]), KINDS[kind])
        parts.append((found.starts[at], found.ends[at], np.full(len(at), kind, np.int8), passage))
    passage = np.flatnonzero(kinds == SUBSTRING)
    if len(passage):
        assert config.substrings is not None
        first = spans.offsets[row] + place[passage]
        _check_places(first + config.substrings.min_words - 1, int(spans.offsets[row + 1]), KINDS[SUBSTRING])
        firsts, ends, begins = joined_windows(first, config.substrings.min_words)
        starts, stops = marked_ranges(firsts, ends, spans, int(offsets[row]), int(offsets[row + 1]))
        parts.append((starts, stops, np.full(len(starts), SUBSTRING, np.int8), passage[begins]))
    starts, ends, of_kind, passage = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return starts, ends, of_kind, passage


def _check_places(places: np.ndarray, stop: int, reason: str) -> None:
    if len(places) and places.max() >= stop:
        raise CorruptDataError(f"a {reason} lies behind the end of its text: run `repeats` again from its first phase")


def _num_words_left(row: int, starts: np.ndarray, ends: np.ndarray, spans: WordSpans) -> int:
    word_starts = spans.starts[spans.offsets[row] : spans.offsets[row + 1]]
    gone = np.searchsorted(word_starts, ends) - np.searchsorted(word_starts, starts)
    return len(word_starts) - int(gone.sum())


def _repeats(found: list[_Ranges], ids: pa.Array, later: pa.Table) -> pa.Table:
    if not found:
        return REPEATS.empty_table()
    row, starts, ends, passage = (np.concatenate(columns) for columns in zip(*found, strict=True))
    kinds = column(later, "kind").take(pa.array(passage)).to_numpy()
    columns = [
        ids.take(pa.array(row)),
        pa.array(np.array(KINDS)[kinds], pa.string()),
        pa.array(starts),
        pa.array(ends),
        column(later, "first_in").take(pa.array(passage)),
    ]
    return pa.Table.from_arrays(columns, schema=REPEATS)


def _decided(
    survivors: pa.Table, texts: pa.Table, repeats: pa.Table, words_left: np.ndarray, config: RepeatsConfig
) -> Decided:
    ids = column(texts, "id")
    too_little = words_left < config.min_words_left
    values = pa.array(words_left.astype(np.float64), mask=~too_little)
    at = pc.index_in(column(survivors, "id"), value_set=ids)
    decided = verdicts(survivors, TOO_LITTLE, values.take(at), config.min_words_left)
    keeps = pc.is_in(repeats["document"], value_set=ids.filter(pa.array(~too_little)))
    cuts, lost = _cuts(repeats.filter(keeps), texts)
    lost = lost.take(pc.index_in(column(survivors, "id"), value_set=column(cuts, "id")))
    left = pc.subtract(column(survivors, "num_bytes"), pc.fill_null(lost, 0))
    at_sizes = schemas.VERDICTS.get_field_index("num_bytes")
    decided = decided.set_column(at_sizes, schemas.VERDICTS.field(at_sizes), left)
    return Decided(decided, cuts, repeats)


def _cuts(repeats: pa.Table, texts: pa.Table) -> tuple[pa.Table, pa.Array]:
    """`schemas.CUTS` of these pieces, of which those that touch are one, ascending by id; and the bytes of each row."""
    document = column(repeats, "document").dictionary_encode()
    row = document.indices.to_numpy().astype(np.int64)  # rows of one document stand together
    start, end = column(repeats, "start").to_numpy(), column(repeats, "end").to_numpy()
    begins = np.ones(len(row), np.bool_)
    begins[1:] = (row[1:] != row[:-1]) | (start[1:] != end[:-1])
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:], len(row)) - 1 if len(firsts) else firsts
    offsets = pa.array(np.searchsorted(row[firsts], np.arange(len(document.dictionary) + 1)), pa.int32())
    num_bytes = pc.cast(pc.binary_length(texts["text"]), pa.int64()).combine_chunks()
    at = pc.index_in(document.dictionary, value_set=column(texts, "id"))
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in (start[firsts], end[lasts])]
    cuts = pa.Table.from_arrays([document.dictionary, num_bytes.take(at), *lists], schema=schemas.CUTS)
    lost = np.bincount(row, weights=end - start, minlength=len(document.dictionary)).astype(np.int64)
    high, low = document_id.words(column(cuts, "id"))
    order = pa.array(np.lexsort((low, high)))
    return cuts.take(order), pa.array(lost).take(order)


def bytes_by_reason(decided: Decided) -> dict[str, int]:
    """How many bytes go of documents that are kept, for each reason."""
    of_kept = decided.repeats.filter(pc.is_in(decided.repeats["document"], value_set=column(decided.cuts, "id")))
    sizes = pc.subtract(of_kept["end"], of_kept["start"])
    return {reason: pc.sum(sizes.filter(pc.equal(of_kept["reason"], reason))).as_py() or 0 for reason in KINDS}
