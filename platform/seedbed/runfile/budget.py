"""What a run may cost. Every limit can be left out; one that is null limits nothing."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict


class BudgetConfig(Strict):
    """The limits that a plan is held against before anything starts. Outside a limit it is refused, or warned of.

    20 tokens per parameter get the lowest loss for a given number of FLOPs (Hoffmann et al. 2022); models that are used
    much are trained on many more.
    """

    max_flops: float | None = Field(default=None, gt=0, description="FLOPs of all training steps together")
    max_device_hours: float | None = Field(default=None, gt=0, description="GPU-hours of all training steps")
    max_wall_hours: float | None = Field(default=None, gt=0, description="wall time of all training steps, in hours")
    max_cost: float | None = Field(default=None, gt=0, description="money, in cluster.price_per_device_hour's currency")
    max_predicted_loss: float | None = Field(default=None, gt=0, description="nats per token; refused above")
    loss_law: Literal["besiroglu", "hoffmann", "kaplan", "muennighoff"] = Field(
        default="besiroglu",
        # Besiroglu et al. 2024 say what is wrong with Hoffmann's constants; Kaplan's are older than both.
        description="scaling law that predicts the loss; where data repeats, Muennighoff's stands in",
    )
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
