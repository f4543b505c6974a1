"""How good a text is to a classifier that the user trained: see `dataprep.quality_classifier`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.measures.batch import Batch


class QualityClassifierConfig(BaseModel):
    """What quality is scored by."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(min_length=1, description="a file of `seedbed train-classifier`, local or any fsspec URL")


@dataclass(frozen=True)
class QualityMeasure:
    """`quality_score_e4`, in ten-thousandths: 10,000 is surely good."""

    config: QualityClassifierConfig
    models: Mapping[str, Any]

    def fields(self) -> list[pa.Field]:
        return [pa.field("quality_score_e4", pa.int16(), nullable=False)]

    def columns(self, batch: Batch) -> list[pa.Array]:
        return [pa.array(self.models[self.config.model].score_e4(batch.words))]
