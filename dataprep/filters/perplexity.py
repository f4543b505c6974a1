"""How perplexing a document may be to the model of `annotate.perplexity`."""

import math
from collections.abc import Iterator
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.errors import DataError
from dataprep.filters.contract import Rule, quantity

TOO_LOW, TOO_HIGH = "perplexity_too_low", "perplexity_too_high"


class PerplexityFilterConfig(BaseModel):
    """Limits on perplexity by the model of `annotate.perplexity`; at least one. A limit is a perplexity, or a
    percentile of the documents that were held out of the model's training: what is more perplexing than 95 of 100 of
    them is unlike them, what is far less is a list or a repetition. CCNet (Wenzek et al. 2020) splits a crawl in thirds
    by it; no limit fits two models, so there are no defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    min_perplexity: float | None = Field(default=None, ge=1, description="of a word, ends of lines included")
    max_perplexity: float | None = Field(default=None, ge=1, description="of a word, ends of lines included")
    min_percentile: int | None = Field(default=None, ge=1, le=100, description="percent of the reference below it")
    max_percentile: int | None = Field(default=None, ge=0, le=99, description="percent of the reference below it")

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("no limit: say one of " + ", ".join(type(self).model_fields))
        for kind in ("perplexity", "percentile"):
            low, high = getattr(self, f"min_{kind}"), getattr(self, f"max_{kind}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{kind} {low} is more than max_{kind} {high}")
        return self

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        """Documents without a scored word are held to no limit. Raises DataError where a percentile is asked for and
        the model has no reference."""
        num_words = quantity(attributes, "num_scored_words")
        measured = num_words > 0
        logarithm = -quantity(attributes, "log10_probability_e3") / 1000 / np.maximum(num_words, 1)
        for reason, limit, sign in ((TOO_LOW, self.min_perplexity, 1), (TOO_HIGH, self.max_perplexity, -1)):
            if limit is not None:
                # Decided by logarithms: a power's last digit differs between machines.
                fails = (sign * logarithm < sign * math.log10(limit)) & measured
                yield Rule(reason, np.power(10.0, logarithm), limit, fails)
        percentile = quantity(attributes, "perplexity_percentile")
        if self.min_percentile is not None or self.max_percentile is not None:
            _check_reference(percentile, measured)
        if self.min_percentile is not None:
            yield Rule.at_least(TOO_LOW, percentile, self.min_percentile, measured)
        if self.max_percentile is not None:
            yield Rule.at_most(TOO_HIGH, percentile, self.max_percentile, measured)


def _check_reference(percentile: np.ndarray, measured: np.ndarray) -> None:
    if (percentile[measured] < 0).any():
        raise DataError(
            "select.perplexity: the model of annotate.perplexity has no reference for percentiles, as too few"
            " documents were held out of its training: train it on 2,000 documents or more, or set perplexities"
        )
