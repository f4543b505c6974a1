"""What a run costs, in numbers that follow from one another: the same for another number of steps or a larger model."""

from dataclasses import dataclass, replace

from seedbed.mixture import AT_MOST, COUNTED, MixtureNumbers
from seedbed.scaling.laws import Prediction, predict
from seedbed.scaling.time_and_money import Estimate, cost, device_hours, wall_hours


@dataclass(frozen=True)
class PlanNumbers:
    """What a run costs, as counted before it starts."""

    parameters: int
    parameters_without_embeddings: int
    matmul_parameters: int
    flops_per_token: int
    num_steps: int
    global_batch_tokens: int
    unique_tokens: int | None  # of the training split; None until `shards` has counted them
    max_unique_tokens: int  # what there can be at most, by the sources or by what `deduplicate` left of them
    step_time_s: Estimate
    likely_unique_tokens: int | None = None  # an estimate; None before `deduplicate`
    num_ranks: int = 1
    rows_per_sequence: float = 1.0  # that are computed, padding included; in `step_time_s`
    ranks_per_model: int = 1  # that hold it once: the stages of a pipeline
    micro_batches_per_step: int = 1  # over all ranks; 0 where the batch is not made of whole ones
    price_per_device_hour: float | None = None
    loss_law: str = "besiroglu"
    min_num_steps: int = 1  # fewer are no run: the warm-up leaves at least one
    mixture: MixtureNumbers | None = None  # the unique tokens are then those that the training sees

    @property
    def training_tokens(self) -> int:
        return self.num_steps * self.global_batch_tokens

    @property
    def flops(self) -> int:
        return self.flops_per_token * self.training_tokens

    @property
    def tokens_per_parameter(self) -> float:
        return self.training_tokens / self.parameters

    @property
    def unique_tokens_at_most(self) -> int:
        """Exact once `shards` has counted."""
        return self.max_unique_tokens if self.unique_tokens is None else self.unique_tokens

    @property
    def repeats_at_least(self) -> float:
        """How often the data is seen; exact once `shards` has counted."""
        unique = self.unique_tokens_at_most
        return self.training_tokens / unique if unique else float(self.training_tokens)

    @property
    def wall_hours(self) -> Estimate:
        return wall_hours(self.step_time_s, self.num_steps)

    @property
    def device_hours(self) -> Estimate:
        return device_hours(self.wall_hours, self.num_ranks)

    @property
    def cost(self) -> Estimate:
        return cost(self.device_hours, self.price_per_device_hour)

    @property
    def predicted_loss(self) -> Prediction:
        """At best, until `shards` has counted: repeats that are not known of yet make it worse."""
        found = predict(
            self.loss_law,
            self.parameters,
            self.parameters_without_embeddings,
            self.training_tokens,
            self.unique_tokens_at_most,
        )
        if found.assumes is None or self.unique_tokens is not None:
            return found
        return replace(
            found, assumes=f"{found.assumes}; {self.max_unique_tokens:,} unique tokens, the most there can be"
        )

    def with_steps(self, num_steps: int) -> "PlanNumbers":
        """Of a mixture, what is seen of each source is counted anew."""
        changed = replace(self, num_steps=num_steps)
        if self.mixture is None or self.mixture.known == AT_MOST:
            return changed
        unique = self.mixture.unique_tokens(changed.training_tokens)
        if self.mixture.known == COUNTED:
            return changed.with_unique_tokens(unique)
        return replace(changed, likely_unique_tokens=unique)

    def with_parameters(self, parameters: int) -> "PlanNumbers":
        """A model of the same proportions: whatever a token costs grows with its parameters."""
        factor = parameters / self.parameters
        return replace(
            self,
            parameters=parameters,
            parameters_without_embeddings=round(self.parameters_without_embeddings * factor),
            matmul_parameters=round(self.matmul_parameters * factor),
            flops_per_token=round(self.flops_per_token * factor),
            step_time_s=self.step_time_s.times(factor),
        )

    def with_unique_tokens(self, unique_tokens: int) -> "PlanNumbers":
        return replace(
            self, unique_tokens=unique_tokens, max_unique_tokens=unique_tokens, likely_unique_tokens=unique_tokens
        )

    def with_ranks(self, num_ranks: int) -> "PlanNumbers":
        """The same work at the same MFU on other ranks, which cut the batch into whole micro batches: no padding."""
        step_time = self.step_time_s.times(self.num_ranks / num_ranks / self.rows_per_sequence)
        return replace(self, num_ranks=num_ranks, rows_per_sequence=1.0, step_time_s=step_time)
