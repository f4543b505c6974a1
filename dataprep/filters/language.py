"""Which languages are kept, and how sure the identification must be."""

from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.filters.contract import Rule, quantity
from dataprep.kernels.text_buffers import column

LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""An ISO 639 code as the model gives it: two letters where there are two, else three."""


class LanguageConfig(BaseModel):
    """Languages that are kept, and how sure the model must be of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    keep: Annotated[tuple[LanguageCode, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="ISO 639 codes of the languages kept; null: all"
    )
    # 0.65: FineWeb (Penedo et al. 2024) and RefinedWeb (Penedo et al. 2023).
    min_score: float = Field(default=0.65, ge=0, le=1, description="probability of the most likely language")

    min_scores: dict[LanguageCode, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={}, description="by ISO 639 code, instead of min_score"
    )

    @model_validator(mode="after")
    def _check_languages(self) -> Self:
        unused = sorted(set(self.min_scores) - set(self.keep)) if self.keep is not None else []
        if unused:
            raise ValueError(
                f"min_scores has {', '.join(unused)}, which keep leaves out: name it in both or in neither"
            )
        return self

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        score = quantity(attributes, "language_score_e4") / 1e4
        if self.keep is not None:
            is_kept = pc.is_in(column(attributes, "language"), value_set=pa.array(self.keep, pa.string()))
            yield Rule("language_not_kept", score, np.nan, ~is_kept.to_numpy(zero_copy_only=False))
        yield Rule.at_least("language_score_too_low", score, self._least_scores(column(attributes, "language")))

    def _least_scores(self, languages: pa.Array) -> np.ndarray:
        """float64[rows]: the score that each row's language asks for."""
        least = [*self.min_scores.values(), self.min_score]  # the last is for those that are not among the keys
        place = pc.index_in(languages, value_set=pa.array(self.min_scores, pa.string())).fill_null(len(least) - 1)
        return np.array(least, np.float64)[place.to_numpy()]
