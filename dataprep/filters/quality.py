"""How good a document must be to the classifier of `annotate.quality_classifier`."""

from collections.abc import Iterator
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep import document_id
from dataprep.filters.contract import Rule, quantity
from dataprep.kernels.text_buffers import column

REASON = "quality_too_low"
_SEED_STREAM = 0xFA4E70  # keeps this draw apart from every other use of the same seed


class QualityConfig(BaseModel):
    """The least score, the same for all or drawn for each document as GPT-3's; one of the two.

    GPT-3 (Brown et al. 2020, A) keeps a document when a draw from a Pareto distribution is greater than 1 - score:
    most of what scores high, and some of what does not. Here the draw is a function of document and seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_score: float | None = Field(default=None, ge=0, le=1, description="the same for every document")
    pareto: int | None = Field(default=None, ge=1, le=64, description="shape of the draw; 9 in GPT-3")
    seed: int = Field(default=0, ge=0, description="another seed draws anew")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.min_score is None) == (self.pareto is None):
            raise ValueError(f"min_score is {self.min_score} and pareto is {self.pareto}: set one of the two")
        return self

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        score = quantity(attributes, "quality_score_e4") / 1e4
        if self.min_score is not None:
            yield Rule.at_least(REASON, score, self.min_score)
        if self.pareto is not None:
            yield self._drawn(score, column(attributes, "id"))

    def _drawn(self, score: np.ndarray, ids: pa.Array) -> Rule:
        """NumPy's `pareto(a)` is u^(-1/a) - 1 for a uniform u: it is greater than 1 - score where u < (2 - score)^-a.

        That is decided by products alone, which are the same on every machine; the threshold is told by a root.
        """
        shape = self.pareto or 1
        drawn = (document_id.mix(ids, _SEED_STREAM + self.seed) >> np.uint64(11)).astype(np.float64)
        uniform = (drawn + 0.5) / 2**53
        power = np.ones_like(score)
        for _ in range(shape):
            power = power * (2 - score)
        return Rule(REASON, score, 2 - uniform ** (-1 / shape), uniform * power >= 1)
