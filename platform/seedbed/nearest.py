"""The nearest plan that keeps a limit: each single change of the plan that would do, with its number."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from seedbed.plan_numbers import PlanNumbers

FARTHEST_FACTOR = 10_000  # what is farther away is no near plan
STRIDE = 4  # the search goes on by a quarter of where it is, then halves

Passes = Callable[[PlanNumbers], bool]

STEPS, PARAMETERS, UNIQUE_TOKENS, RANKS = (
    "training.num_steps",
    "parameters",  # of a model of the same proportions
    "unique_tokens",  # of the training split
    "cluster.training_ranks",  # at the same MFU
)


@dataclass(frozen=True)
class Change:
    """What to change, alone, so that a limit is kept: to at most or at least this value."""

    key: str  # dotted key in the run file, `parameters` or `unique_tokens`
    bound: str  # at most, at least; empty for a setting that is one of a few
    value: int | str
    now: int | str
    tokens: int  # that the model is trained on then

    def in_words(self) -> str:
        if isinstance(self.value, str) or isinstance(self.now, str):
            return f"{self.key} {self.value} (now {self.now})"
        if self.key == STEPS:
            return f"{self.key} {self.bound} {self.value:,} ({self.tokens:,} tokens; now {self.now:,})"
        if self.key == RANKS:
            return f"{self.key} {self.bound} {self.value:,} (now {self.now:,}) at the same MFU"
        return f"{self.bound} {self.value:,} {self.key.replace('_', ' ')} (now {self.now:,})"


def changes_that_pass(passes: Passes, numbers: PlanNumbers) -> tuple[Change, ...]:
    """For each thing that can be changed alone, its nearest value with which `passes` holds, if there is one."""
    knobs = (
        (STEPS, numbers.num_steps, numbers.min_num_steps, numbers.with_steps),
        (PARAMETERS, numbers.parameters, 1, numbers.with_parameters),
        (UNIQUE_TOKENS, numbers.unique_tokens_at_most, 1, numbers.with_unique_tokens),
    )
    found = []
    for key, now, least, changed in knobs:
        passes_at = partial(_passes_at, passes, changed)
        for bound, value in (("at most", _below(passes_at, now, least)), ("at least", _above(passes_at, now))):
            if value is not None:
                found.append(Change(key, bound, value, now, changed(value).training_tokens))
    of_one = numbers.ranks_per_model
    for models in range(numbers.num_ranks // of_one + 1, numbers.micro_batches_per_step + 1):
        ranks = models * of_one
        if numbers.micro_batches_per_step % models == 0 and passes(numbers.with_ranks(ranks)):
            found.append(Change(RANKS, "at least", ranks, numbers.num_ranks, numbers.training_tokens))
            break
    return tuple(found)


def _passes_at(passes: Passes, changed: Callable[[int], PlanNumbers], value: int) -> bool:
    return passes(changed(value))


def _below(passes: Callable[[int], bool], now: int, least: int) -> int | None:
    """The greatest value from `least` to below `now` that passes."""
    failing = now
    while failing > least:
        tried = max(failing - max(failing // STRIDE, 1), least)
        if passes(tried):
            return _between(passes, tried, failing)
        failing = tried
    return None


def _above(passes: Callable[[int], bool], now: int) -> int | None:
    """The smallest value above `now` that passes."""
    failing, farthest = now, max(now, 1) * FARTHEST_FACTOR
    while failing < farthest:
        tried = min(failing + max(failing // STRIDE, 1), farthest)
        if passes(tried):
            return _between(passes, tried, failing)
        failing = tried
    return None


def _between(passes: Callable[[int], bool], passing: int, failing: int) -> int:
    """The value nearest to `failing` that passes."""
    while abs(passing - failing) > 1:
        middle = (passing + failing) // 2
        if passes(middle):
            passing = middle
        else:
            failing = middle
    return passing
