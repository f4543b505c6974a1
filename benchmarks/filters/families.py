"""The four heuristic families as one piece of work: texts in, what every rule says of every text out."""

import time
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from dataprep import schemas
from dataprep.annotate import MAX_BATCH_BYTES
from dataprep.filters.c4 import C4Config
from dataprep.filters.fineweb import FineWebConfig
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.gopher_repetition import GopherRepetitionConfig
from dataprep.kernels.text_buffers import batches
from dataprep.measures.batch import Batch
from dataprep.measures.contract import Measure
from dataprep.measures.lines import LineMeasure
from dataprep.measures.repetition import RepetitionMeasure
from dataprep.measures.words import WordMeasure

WORDS, LINES, REPETITION = WordMeasure(), LineMeasure(), RepetitionMeasure()

FAMILIES = {
    "gopher_repetition": (GopherRepetitionConfig(), (WORDS, LINES, REPETITION)),
    "gopher_quality": (GopherQualityConfig(), (WORDS, LINES)),
    "c4": (C4Config(), (WORDS, LINES)),
    "fineweb": (FineWebConfig(), (WORDS, LINES)),
}
"""By name: the rules with the published limits, and the measures that they need."""


@dataclass(frozen=True)
class _BatchOfKnownLanguages(Batch):
    """Telling languages is no part of this work."""

    known: pa.StringArray = field(kw_only=True)

    @property
    def languages(self) -> pa.StringArray:
        return self.known


def measured(text: pa.LargeStringArray, languages: pa.StringArray, measures: tuple[Measure, ...]) -> pa.Table:
    """The columns of the measures and `language`, a row a text, batch by batch as `annotate` does it."""
    fields = [field for measure in measures for field in measure.fields()]
    schema = pa.schema([*fields, pa.field("language", pa.string(), nullable=False)])
    parts = []
    for start, stop in batches(text, MAX_BATCH_BYTES):
        of_batch = slice(start, stop)
        batch = _BatchOfKnownLanguages(pa.nulls(stop - start, schemas.ID), text[of_batch], known=languages[of_batch])
        columns = [array for measure in measures for array in measure.columns(batch)]
        parts.append(pa.record_batch([*columns, batch.languages], schema=schema))
    return pa.Table.from_batches(parts, schema)


def decisions(text: pa.LargeStringArray, languages: pa.StringArray, *names: str) -> dict[str, np.ndarray]:
    """What the rules of these families (all by default) say: bool[texts] by reason, true where it drops the text."""
    chosen = [FAMILIES[name] for name in names or FAMILIES]
    measures = tuple(dict.fromkeys(measure for _, needed in chosen for measure in needed))
    attributes = measured(text, languages, measures)
    return {rule.reason: rule.fails for family, _ in chosen for rule in family.rules(attributes)}


def seconds(text: pa.LargeStringArray, *names: str) -> float:
    """CPU seconds of this process for every rule of these families (all by default) on every text, as English ones."""
    languages = pa.repeat("en", len(text))
    start = time.process_time()
    decisions(text, languages, *names)
    return time.process_time() - start
