"""What becomes of documents in which evaluation texts stand: pure arithmetic on hits."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import schemas
from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.decontaminate.index import EvaluationIndex
from dataprep.kernels.text_buffers import column

CONTAINS = "contains_benchmark"
TOO_LITTLE = "too_little_without_benchmark"

PHRASE_CHARACTERS = 160
"""Of an evaluation text, in the table of matches."""

MATCHES = pa.schema(
    [
        pa.field("document", schemas.ID, nullable=False),
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),  # file#number
        pa.field("field", pa.string(), nullable=False),
        pa.field("item_number", pa.int64(), nullable=False),  # among all items
        pa.field("num_ngrams", pa.int64(), nullable=False),  # of the text
        pa.field("num_found", pa.int64(), nullable=False),  # of those, in the document
        pa.field("num_changed", pa.int64(), nullable=False),  # fewest words of a found one that are others
        # Half-open ranges of words, from the first that was found to the last.
        pa.field("item_first_word", pa.int64(), nullable=False),
        pa.field("item_end_word", pa.int64(), nullable=False),
        pa.field("document_first_word", pa.int64(), nullable=False),
        pa.field("document_end_word", pa.int64(), nullable=False),
        pa.field("phrase", pa.string(), nullable=False),  # what the evaluation text says from the best one on
    ]
)
"""A row for each evaluation text that a document was found to hold, by document and text."""


@dataclass(frozen=True)
class Matched:
    """`matches` (`MATCHES`), and the hits that led to them (`scan.HITS`)."""

    matches: pa.Table
    hits: pa.Table


def matched(hits: pa.Table, texts: pa.Table, index: EvaluationIndex, config: DecontaminateConfig) -> Matched:
    """The evaluation texts (`index.TEXTS`) of which these hits, common ones left out, are enough."""
    if hits.num_rows == 0:
        return Matched(MATCHES.empty_table(), hits)
    place = column(hits, "place").to_numpy()
    text_of_hit = np.searchsorted(index.text_offsets, place, side="right") - 1
    documents = column(hits, "document").dictionary_encode()
    row = documents.indices.to_numpy().astype(np.int64)
    order = np.lexsort((column(hits, "num_changed").to_numpy(), text_of_hit, row))
    row, text_of_hit, place = row[order], text_of_hit[order], place[order]
    hits = hits.take(pa.array(order))
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(row) != 0) | (np.diff(text_of_hit) != 0))))
    # An n-gram may stand in a document more than once: of a text, its different places count.
    num_found = _distinct(starts, place)
    text = text_of_hit[starts]
    num_ngrams = column(texts, "num_ngrams").to_numpy()[text]
    enough = num_found >= config.min_share * num_ngrams
    matches = _matches(hits, starts, text, num_found, texts, index).filter(pa.array(enough))
    of_enough = np.repeat(enough, np.diff(starts, append=len(row)))
    return Matched(matches.combine_chunks(), hits.filter(pa.array(of_enough)))


def _distinct(starts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How many different values each stretch holds."""
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    order = np.lexsort((values, group))
    is_new = np.ones(len(values), np.bool_)
    is_new[1:] = (np.diff(values[order]) != 0) | (np.diff(group[order]) != 0)
    return np.add.reduceat(is_new.astype(np.int64), starts)


def _matches(
    hits: pa.Table,
    starts: np.ndarray,
    text: np.ndarray,
    num_found: np.ndarray,
    texts: pa.Table,
    index: EvaluationIndex,
) -> pa.Table:
    """A row for each stretch of hits of one document and text; the first of a stretch has the fewest changed words."""
    place, position, size = (column(hits, name).to_numpy() for name in ("place", "position", "num_words"))
    told = texts.take(pa.array(text))
    first_word = index.text_offsets[text]
    phrases = [
        index.phrase(first, length, PHRASE_CHARACTERS)
        for first, length in zip(place[starts].tolist(), size[starts].tolist(), strict=True)
    ]
    columns = {
        "document": column(hits, "document").take(pa.array(starts)),
        "num_found": pa.array(num_found),
        "num_changed": column(hits, "num_changed").take(pa.array(starts)),
        "item_first_word": pa.array(np.minimum.reduceat(place, starts) - first_word),
        "item_end_word": pa.array(np.maximum.reduceat(place + size, starts) - first_word),
        "document_first_word": pa.array(np.minimum.reduceat(position, starts)),
        "document_end_word": pa.array(np.maximum.reduceat(position + size, starts)),
        "phrase": pa.array(phrases, pa.string()),
    }
    columns |= {name: column(told, name) for name in ("set", "item", "field", "item_number", "num_ngrams")}
    return pa.Table.from_arrays([columns[name] for name in MATCHES.names], schema=MATCHES)


def dropped(survivors: pa.Table, matches: pa.Table, config: DecontaminateConfig) -> pa.Table:
    """`schemas.VERDICTS` for each row of `survivors` (`id`, `num_bytes`): those with a match go. The value is the
    largest share of a text's n-grams that the document has."""
    shares = pc.divide(pc.cast(matches["num_found"], pa.float64()), pc.cast(matches["num_ngrams"], pa.float64()))
    best = (
        pa.table({"document": matches["document"], "share": shares}).group_by("document").aggregate([("share", "max")])
    )
    at = pc.index_in(column(survivors, "id"), value_set=column(best, "document"))
    return verdicts(survivors, CONTAINS, column(best, "share_max").take(at), config.min_share)


def verdicts(survivors: pa.Table, reason: str, values: pa.Array, threshold: float) -> pa.Table:
    """`schemas.VERDICTS` of these rows (`id`, `num_bytes`): those with a value (float64) go, for this reason."""
    ids = column(survivors, "id")
    goes, n = pc.is_valid(values), len(ids)
    said = pc.if_else(goes, pa.scalar(reason), pa.scalar(None, pa.string()))
    limit = pc.if_else(goes, pa.scalar(float(threshold)), pa.scalar(None, pa.float64()))
    columns = [ids, column(survivors, "num_bytes"), said, values, limit, pa.nulls(n, schemas.ID)]
    return pa.Table.from_arrays(columns, schema=schemas.VERDICTS)
