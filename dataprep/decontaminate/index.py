"""The n-grams of all evaluation texts, to be looked up by the words of documents.

texts --words--> n-grams of `ngram_words`, short texts as a whole, runs of few words that changed n-grams share
    --place_tables--> from hash to places
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.decontaminate.evaluation import ItemText
from dataprep.kernels.benchmark_matches import seed_words
from dataprep.kernels.edits import read_only
from dataprep.kernels.ngram_variety import different_words
from dataprep.kernels.place_tables import PlaceTable, ngram_hashes, place_table
from dataprep.kernels.text_buffers import batches, column, text_buffers, text_from_buffers
from dataprep.kernels.word_spans import WordSpans, word_spans
from dataprep.kernels.words import Words, find_words

TEXTS = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),  # file#number
        pa.field("field", pa.string(), nullable=False),
        pa.field("item_number", pa.int64(), nullable=False),  # of the item among all, from 0
        pa.field("num_words", pa.int64(), nullable=False),
        pa.field("num_ngrams", pa.int64(), nullable=False),  # that say something; 0: it is not checked
    ]
)
"""A row for each text of an item of an evaluation set, in the order of sets, files and lines."""

MAX_PLACES = 256
"""Of a run of few words in evaluation texts: one of more is not gone after, so that an n-gram with changed words that
has no other run is not found. Bounds the work for a run such as "which of the following"."""

MAX_ATTRIBUTED = 256
"""Evaluation texts that one n-gram of a document is laid to, the first ones: what begins every item of a set would
otherwise fill the table of matches."""

NO_NGRAM = -1
_BATCH_BYTES = 4 << 20  # of text whose words are found at a time: they take up to 7 times as much memory
_BATCH_TEXTS = 1 << 16


@dataclass(frozen=True)
class EvaluationIndex:
    """What `scan` asks. All evaluation texts are one row of words: `words` (uint64) their hashes, `spans` where they
    stand, `text_offsets` (int64) the number of each text's first word.

    `ngram_of` (int32[words]) numbers the n-gram that begins at a word, `NO_NGRAM` where none does: n-grams of
    `ngram_words` come first (`num_long` of them, equal ones have one number), then texts that are looked for as a
    whole, `short_lengths` words each. `long` and `short` lead to their places; `seeds` to those of runs of
    `seed_words`. Some 110 bytes for each word.
    """

    long: PlaceTable
    short: PlaceTable
    seeds: PlaceTable
    words: np.ndarray
    ngram_of: np.ndarray
    short_lengths: np.ndarray
    text_offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    data: np.ndarray

    @property
    def num_long(self) -> int:
        return len(self.long.hashes)

    @property
    def num_ngrams(self) -> int:
        return self.num_long + len(self.short_lengths)

    @property
    def spans(self) -> WordSpans:
        """Of all evaluation texts, as if they were one."""
        ends = np.array([0, len(self.words)], np.int64)
        return WordSpans(*map(read_only, (ends, self.starts, self.ends, self.data, np.zeros(1, np.int64))))

    def arrays(self) -> dict[str, np.ndarray]:
        """By name, to be written; `of_arrays` takes them again."""
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, PlaceTable)}
        tables = {
            f"{name}.{part}": array
            for name, table in vars(self).items()
            if isinstance(table, PlaceTable)
            for part, array in table._asdict().items()
        }
        return plain | tables

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "EvaluationIndex":
        parts: dict[str, Any] = {name: read_only(array) for name, array in arrays.items() if "." not in name}
        for name in ("long", "short", "seeds"):
            parts[name] = PlaceTable(*(read_only(arrays[f"{name}.{part}"]) for part in PlaceTable._fields))
        return cls(**parts)

    def lengths(self, ngrams: np.ndarray, ngram_words: int) -> np.ndarray:
        """int64: how many words each n-gram has."""
        short = ngrams >= self.num_long
        lengths = np.full(len(ngrams), ngram_words, np.int64)
        lengths[short] = self.short_lengths[ngrams[short] - self.num_long]
        return lengths

    def phrase(self, place: int, num_words: int, most: int) -> str:
        """What evaluation texts say from a word on, at most so many characters of it."""
        raw = bytes(self.data[self.starts[place] : self.ends[place + num_words - 1]])
        text = " ".join(raw.decode().split())
        return text if len(text) <= most else f"{text[: most - 1]}…"


def build_index(
    sets: Iterable[tuple[str, Iterable[ItemText]]], config: DecontaminateConfig
) -> tuple[EvaluationIndex, pa.Table]:
    """The index of evaluation sets (name, texts), and a row for each text (`TEXTS`)."""
    table, text = _texts(sets)
    spans = word_spans(text)
    words = _words(text)
    hashes, num_words, n = words.hashes, np.diff(spans.offsets), config.ngram_words
    starts_of_long = np.flatnonzero(_starts_with(spans.offsets, n))
    starts_of_long = starts_of_long[_says_something(words, starts_of_long, n, config)]
    is_short = (num_words < n) & (num_words >= config.min_words)
    is_short[is_short] = _says_something(words, spans.offsets[:-1][is_short], num_words[is_short], config)
    num_ngrams = np.histogram(starts_of_long, spans.offsets)[0] if len(hashes) else np.zeros(len(text), np.int64)
    table = table.append_column(TEXTS.field("num_words"), pa.array(num_words))
    table = table.append_column(TEXTS.field("num_ngrams"), pa.array(num_ngrams + is_short))

    long = place_table(ngram_hashes(spans.offsets, hashes, n)[starts_of_long], starts_of_long)
    ngram_of = np.full(len(hashes), NO_NGRAM, np.int32)
    ngram_of[long.places] = np.repeat(np.arange(len(long.hashes)), np.diff(long.offsets))

    short_places = spans.offsets[:-1][is_short]
    firsts = ngram_hashes(spans.offsets, hashes, config.min_words)[short_places]
    # Texts that read the same have one number: by all their words, not by the first ones that lead to them.
    wholes = [
        hashes[place : place + size].tobytes() for place, size in zip(short_places, num_words[is_short], strict=True)
    ]
    numbers: dict[bytes, int] = {}
    ngram_of[short_places] = [len(long.hashes) + numbers.setdefault(whole, len(numbers)) for whole in wholes]
    short_lengths = np.array([len(whole) // hashes.itemsize for whole in numbers], np.int64)

    seed = seed_words(n, config.max_changed_words)
    seed_places = np.flatnonzero(_is_in_long(num_words, spans.offsets, n) & _starts_with(spans.offsets, seed))
    if config.max_changed_words == 0:
        seed_places = seed_places[:0]
    seeds = place_table(ngram_hashes(spans.offsets, hashes, seed)[seed_places], seed_places, MAX_PLACES)
    index = EvaluationIndex(
        long,
        place_table(firsts, short_places),
        seeds,
        *map(read_only, (hashes, ngram_of, short_lengths, spans.offsets, spans.starts, spans.ends, spans.data)),
    )
    return index, table


def _texts(sets: Iterable[tuple[str, Iterable[ItemText]]]) -> tuple[pa.Table, pa.LargeStringArray]:
    """The first columns of `TEXTS`, and the texts beside them in one buffer."""
    schema = pa.schema([TEXTS.field(name) for name in ("set", "item", "field", "item_number")])
    schema = schema.append(pa.field("text", pa.large_string(), nullable=False))
    parts = [schema.empty_table()]
    number, last = -1, None
    for name, texts in sets:
        remaining = iter(texts)
        while batch := list(islice(remaining, _BATCH_TEXTS)):
            rows = []
            for one in batch:
                number += (name, one.item) != last
                last = (name, one.item)
                rows.append({"set": name, "item_number": number, **vars(one)})
            parts.append(pa.Table.from_pylist(rows, schema))
    table = pa.concat_tables(parts)
    data, offsets = text_buffers(column(table, "text"))
    # Spans are byte ranges of the whole buffer: it must begin with the first text.
    text = text_from_buffers(data[offsets[0] : offsets[-1]], offsets - offsets[0])
    return table.drop_columns(["text"]), text


def _words(text: pa.LargeStringArray) -> Words:
    """`find_words` of all texts, batch by batch."""
    parts = [find_words(text.slice(start, stop - start)) for start, stop in batches(text, _BATCH_BYTES)]
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    columns = [
        np.concatenate([getattr(part, name) for part in parts]) for name in ("hashes", "num_characters", "has_letter")
    ]
    return Words(offsets, *columns)


def _says_something(
    words: Words, starts: np.ndarray, lengths: np.ndarray | int, config: DecontaminateConfig
) -> np.ndarray:
    """bool[n-grams]: whether enough of its words are different ones with a letter."""
    lengths = np.broadcast_to(np.asarray(lengths, np.int64), len(starts))
    return different_words(words, starts, lengths) >= config.min_different_share * lengths


def _starts_with(offsets: np.ndarray, length: int) -> np.ndarray:
    """bool[words]: whether `length` words of its text stand from this word on."""
    left = np.repeat(offsets[1:], np.diff(offsets)) - np.arange(offsets[-1])
    return left >= length


def _is_in_long(num_words: np.ndarray, offsets: np.ndarray, length: int) -> np.ndarray:
    return np.repeat(num_words >= length, np.diff(offsets))
