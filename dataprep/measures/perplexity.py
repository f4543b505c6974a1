"""How likely a text is to an n-gram model of good text: see `dataprep.ngram_model`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.arpa import UNITS_PER_LOG10
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts

_UNITS_PER_E3 = UNITS_PER_LOG10 // 1000


class PerplexityConfig(BaseModel):
    """What perplexity is measured by."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(min_length=1, description="an ARPA file of `seedbed train-ngram-model`, local or any fsspec URL")


@dataclass(frozen=True)
class PerplexityMeasure:
    """`log10_probability_e3` of the text, in thousandths; `num_scored_words`, that it is of: words and ends of lines;
    `perplexity_percentile`, how many percent of the model's reference are at most as perplexing, -1 where the model has
    none. Perplexity is 10 to the power of -log10 probability / words."""

    config: PerplexityConfig
    models: Mapping[str, Any]

    def fields(self) -> list[pa.Field]:
        percentile = pa.field("perplexity_percentile", pa.int16(), nullable=False)
        return [*counts("log10_probability_e3", "num_scored_words"), percentile]

    def columns(self, batch: Batch) -> list[pa.Array]:
        logarithms, num_words, percentiles = self.models[self.config.model].measure(batch.text)
        # Rounded from an exact integer: the same on every machine.
        thousandths = (logarithms + _UNITS_PER_E3 // 2) // _UNITS_PER_E3
        return [pa.array(thousandths), pa.array(num_words), pa.array(percentiles.astype(np.int16))]
