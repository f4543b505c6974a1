"""What the rules about words need: see `dataprep.kernels.word_statistics`."""

import pyarrow as pa

from dataprep.kernels.word_statistics import word_statistics
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class WordMeasure:
    """Words, their codepoints, words with a letter, and how many of Gopher's eight stop words occur."""

    def fields(self) -> list[pa.Field]:
        return counts("num_words", "num_word_characters", "num_words_with_letter", "num_stop_words")

    def columns(self, batch: Batch) -> list[pa.Array]:
        found = word_statistics(batch.words)
        return [
            pa.array(found.num_words),
            pa.array(found.num_word_characters),
            pa.array(found.num_words_with_letter),
            pa.array(found.num_stop_words),
        ]
