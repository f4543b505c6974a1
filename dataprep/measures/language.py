"""The language of each document, and how sure the model is of it."""

import pyarrow as pa

from dataprep.measures.batch import Batch


class LanguageMeasure:
    """`language` (ISO 639, "und" where there is no text) and `language_score_e4` in ten-thousandths."""

    def fields(self) -> list[pa.Field]:
        return [
            pa.field("language", pa.string(), nullable=False),
            pa.field("language_score_e4", pa.int16(), nullable=False),
        ]

    def columns(self, batch: Batch) -> list[pa.Array]:
        return [batch.languages, pa.array(batch.language_scores_e4)]
