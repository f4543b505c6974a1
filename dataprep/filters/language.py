"""Which languages are kept, and how sure the identification must be."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

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

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        score = quantity(attributes, "language_score_e4") / 1e4
        if self.keep is not None:
            is_kept = pc.is_in(column(attributes, "language"), value_set=pa.array(self.keep, pa.string()))
            yield Rule("language_not_kept", score, np.nan, ~is_kept.to_numpy(zero_copy_only=False))
        yield Rule.at_least("language_score_too_low", score, self.min_score)
