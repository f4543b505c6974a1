"""What the rules about words need: see `dataprep.kernels.word_statistics`."""

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.filters.stop_words import languages_with_stop_words, stop_words_of
from dataprep.kernels.word_statistics import word_statistics
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class WordMeasure:
    """Words, their codepoints, words with a letter, how many stop words of the document's language occur (0 where it
    has no list: `dataprep.filters.stop_words`), `lorem ipsum`."""

    def fields(self) -> list[pa.Field]:
        return counts("num_words", "num_word_characters", "num_words_with_letter", "num_stop_words", "num_lorem_ipsum")

    def columns(self, batch: Batch) -> list[pa.Array]:
        found = word_statistics(batch.words, _stop_words(), _chosen(batch.languages))
        return [
            pa.array(found.num_words),
            pa.array(found.num_word_characters),
            pa.array(found.num_words_with_letter),
            pa.array(found.num_stop_words),
            pa.array(found.num_lorem_ipsum),
        ]


@functools.cache
def _stop_words() -> tuple[tuple[str, ...], ...]:
    return tuple(stop_words_of(language) for language in languages_with_stop_words())


def _chosen(languages: pa.StringArray) -> np.ndarray:
    """The index of each document's list, int64; -1 where its language has none."""
    known = pa.array(languages_with_stop_words(), pa.string())
    return pc.fill_null(pc.index_in(languages, value_set=known), -1).to_numpy(zero_copy_only=False).astype(np.int64)
