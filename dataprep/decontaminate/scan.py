"""Where n-grams of evaluation texts stand in documents."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.decontaminate.index import MAX_ATTRIBUTED, EvaluationIndex
from dataprep.kernels.benchmark_matches import REFUSED, Matches, changed_matches, count_changed, seed_words
from dataprep.kernels.place_tables import Found, PlaceTable, find_ngrams
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.word_spans import word_spans
from dataprep.kernels.words import Words, find_words
from dataprep.schemas import ID

HITS = pa.schema(
    [
        pa.field("document", ID, nullable=False),
        pa.field("position", pa.int64(), nullable=False),  # number of its first word in the document
        pa.field("place", pa.int64(), nullable=False),  # number of that word among all of the evaluation texts
        pa.field("num_words", pa.int64(), nullable=False),
        pa.field("num_changed", pa.int64(), nullable=False),  # words that are others in the document
        pa.field("ngram", pa.int64(), nullable=False),  # of `EvaluationIndex`
    ]
)
"""A row for each n-gram of an evaluation text that stands in a document, by document, position and place."""

MAX_BATCH_BYTES = 1 << 20
"""Text whose words are held at a time: 7 bytes for each of text, and they are read several times."""


@dataclass(frozen=True)
class Scanned:
    """`hits` (`HITS`) and how many proposals of a hash were refused, because the words are others."""

    hits: pa.Table
    num_refused: int


def scan(ids: pa.Array, text: pa.LargeStringArray, index: EvaluationIndex, config: DecontaminateConfig) -> Scanned:
    """What of the evaluation texts stands in these documents. `ids` ascend.

    An n-gram of `ngram_words` is found where all its words stand in a row, or all but `max_changed_words` at the same
    places; a shorter text where all of it does.
    """
    tables, refused = [HITS.empty_table()], 0
    for start, stop in batches(text, MAX_BATCH_BYTES):
        of_batch = text.slice(start, stop - start)
        proposed = _proposed(find_words(of_batch), index, config)
        if len(proposed.documents):
            hits, num_refused = _confirmed(proposed, of_batch, index, config)
            refused += num_refused
            tables.append(_table(ids.slice(start, stop - start), *hits, index))
    return Scanned(pa.concat_tables(tables).combine_chunks(), refused)


def _proposed(words: Words, index: EvaluationIndex, config: DecontaminateConfig) -> Matches:
    """What the hashes say, each once, in the order of documents, positions and places."""
    found = [
        _at_places(_ask(words, length, table), table)
        for length, table in ((config.ngram_words, index.long), (config.min_words, index.short))
    ]
    if config.max_changed_words:
        n, k = config.ngram_words, config.max_changed_words
        seeds = _ask(words, seed_words(n, k), index.seeds)
        found.append(changed_matches(words, seeds, index.seeds, index.words, index.ngram_of, index.num_long, n, k))
    rows = np.stack([np.concatenate(parts) for parts in zip(*found, strict=True)])
    order = np.lexsort(rows[::-1])
    rows = rows[:, order]
    is_first = np.ones(rows.shape[1], np.bool_)
    is_first[1:] = (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    return Matches(*rows[:, is_first])


def _ask(words: Words, length: int, table: PlaceTable) -> Found:
    if not len(table.hashes):
        return Found(*(np.empty(0, np.int64) for _ in Found._fields))
    return find_ngrams(words.offsets, words.hashes, length, table)


def _at_places(found: Found, table: PlaceTable) -> Matches:
    """A row for each place of each key, of the first `MAX_ATTRIBUTED` ones."""
    firsts = table.offsets[found.keys]
    sizes = np.minimum(table.offsets[found.keys + 1] - firsts, MAX_ATTRIBUTED)
    number = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # of the place, within its key
    places = table.places[np.repeat(firsts, sizes) + number]
    return Matches(np.repeat(found.documents, sizes), np.repeat(found.positions, sizes), places)


def _confirmed(
    proposed: Matches, text: pa.LargeStringArray, index: EvaluationIndex, config: DecontaminateConfig
) -> tuple[tuple[Matches, np.ndarray, np.ndarray], int]:
    """The matches whose words are the same, letter by letter, with their lengths and how many words are others; and how
    many are not."""
    rows, numbers = np.unique(proposed.documents, return_inverse=True)
    spans = word_spans(text.take(pa.array(rows)))
    ngrams = index.ngram_of[proposed.places]
    lengths = index.lengths(ngrams, config.ngram_words)
    most = np.where(ngrams < index.num_long, config.max_changed_words, 0)
    looked = Matches(numbers, proposed.positions, proposed.places)
    changed = count_changed(looked, lengths, spans, index.spans, unicode_classes().lower, most)
    same = changed != REFUSED
    matches = Matches(*(values[same] for values in proposed))
    return (matches, lengths[same], changed[same]), int((~same).sum())


def _table(
    ids: pa.Array, matches: Matches, lengths: np.ndarray, changed: np.ndarray, index: EvaluationIndex
) -> pa.Table:
    columns = [
        ids.take(pa.array(matches.documents)),
        pa.array(matches.positions),
        pa.array(matches.places),
        pa.array(lengths),
        pa.array(changed),
        pa.array(index.ngram_of[matches.places].astype(np.int64)),
    ]
    return pa.Table.from_arrays(columns, schema=HITS)
