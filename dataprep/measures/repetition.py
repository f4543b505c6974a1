"""What Gopher's rules about repeated word n-grams need: see `dataprep.kernels.repetition`."""

import pyarrow as pa

from dataprep.kernels.repetition import DUPLICATE_SIZES, TOP_SIZES, repetition
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class RepetitionMeasure:
    """Characters in the top 2-, 3- and 4-gram and in duplicate 5- to 10-grams, out of `num_word_characters`."""

    def fields(self) -> list[pa.Field]:
        return counts(
            *(f"num_top_{n}_gram_characters" for n in TOP_SIZES),
            *(f"num_duplicate_{n}_gram_characters" for n in DUPLICATE_SIZES),
        )

    def columns(self, batch: Batch) -> list[pa.Array]:
        found = repetition(batch.words)
        return [pa.array(row) for row in (*found.top, *found.duplicate)]
