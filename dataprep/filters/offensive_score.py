"""How offensive a document may read to a classifier: see `dataprep.measures.offensive_score`."""

from collections.abc import Iterator

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, quantity


class OffensiveScoreFilterConfig(BaseModel):
    """A limit on the score of `annotate.offensive_classifier`, in English."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # No published threshold: ours. Of 300 pages of documentation none had more than 0.29 (docs/personal-data.md).
    max_score: float = Field(default=0.9, ge=0, le=1, description="the classifier's probability that it is offensive")

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        yield Rule.at_most("offensive_score_too_high", quantity(attributes, "offensive_score_e4") / 1e4, self.max_score)
