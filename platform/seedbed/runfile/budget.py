"""What a run may cost. Every limit can be left out; one that is null limits nothing."""

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict


class BudgetConfig(Strict):
    """The limits that a plan is held against before anything starts. Outside a limit it is refused, or warned of.

    20 tokens per parameter get the lowest loss for a given number of FLOPs (Hoffmann et al. 2022); models that are used
    much are trained on many more.
    """

    max_flops: float | None = Field(default=None, gt=0, description="FLOPs of all training steps together")
    min_tokens_per_parameter: float | None = Field(default=None, ge=0, description="training tokens; refused below")
    max_tokens_per_parameter: float | None = Field(default=None, gt=0, description="training tokens; refused above")
    warn_min_tokens_per_parameter: float | None = Field(default=None, ge=0, description="a warning below")
    warn_max_tokens_per_parameter: float | None = Field(default=None, gt=0, description="a warning above")
    max_repeats: float | None = Field(
        default=4.0,
        gt=0,
        # Muennighoff et al. 2023: up to four times, a token is worth about as much as a new one.
        description="how often the training data may be seen: training tokens over unique tokens",
    )

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        limits = [
            ("min_tokens_per_parameter", self.min_tokens_per_parameter),
            ("warn_min_tokens_per_parameter", self.warn_min_tokens_per_parameter),
            ("warn_max_tokens_per_parameter", self.warn_max_tokens_per_parameter),
            ("max_tokens_per_parameter", self.max_tokens_per_parameter),
        ]
        named = [(name, value) for name, value in limits if value is not None]
        for (low_name, low), (high_name, high) in pairwise(named):
            if low > high:
                raise ValueError(f"{low_name} {low:g} is above {high_name} {high:g}")
        return self
