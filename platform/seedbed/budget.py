"""The budget: a plan's numbers held against the run file's limits. It decides and touches nothing."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from seedbed.mixture import COUNTED, LIKELY
from seedbed.nearest import STEPS, Change, changes_that_pass
from seedbed.plan_numbers import PlanNumbers
from seedbed.runfile.budget import BudgetConfig
from seedbed.scaling.time_and_money import Estimate

__all__ = ["PASS", "REFUSE", "WARN", "Finding", "PlanNumbers", "check_budget", "nearest_num_steps", "verdict"]

PASS, WARN, REFUSE = "pass", "warn", "refuse"
_LEVELS = (PASS, WARN, REFUSE)


@dataclass(frozen=True)
class Finding:
    """One limit, and how the plan stands to it."""

    limit: str  # dotted key in the run file
    level: str  # pass, warn or refuse
    measured: float | None  # of a range, its upper end; None where it is unknown
    allowed: float
    message: str
    nearest: tuple[Change, ...] = ()  # each alone would make it pass

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Finding":
        return cls(**(value | {"nearest": tuple(Change(**change) for change in value.get("nearest", ()))}))


Judge = Callable[[BudgetConfig, PlanNumbers], Finding | None]


def check_budget(budget: BudgetConfig, numbers: PlanNumbers) -> list[Finding]:
    """One finding for each limit that is set; one that does not pass says which single changes would mend it."""
    return [
        _with_nearest(finding, judge, budget, numbers)
        for judge in _JUDGES
        if (finding := judge(budget, numbers)) is not None
    ]


def verdict(findings: list[Finding]) -> str:
    """The worst level: pass, warn or refuse."""
    return max((finding.level for finding in findings), key=_LEVELS.index, default=PASS)


def nearest_num_steps(budget: BudgetConfig, numbers: PlanNumbers, findings: list[Finding]) -> int | None:
    """The number of steps nearest to the plan's with which no limit refuses; None where steps alone do not help."""
    candidates = {
        int(change.value)
        for finding in findings
        for change in finding.nearest
        if finding.level == REFUSE and change.key == STEPS
    }
    for num_steps in sorted(candidates, key=lambda value: abs(value - numbers.num_steps)):
        changed = numbers.with_steps(num_steps)
        if all(found is None or found.level != REFUSE for judge in _JUDGES for found in [judge(budget, changed)]):
            return num_steps
    return None


def _with_nearest(finding: Finding, judge: Judge, budget: BudgetConfig, numbers: PlanNumbers) -> Finding:
    if finding.level == PASS or finding.measured is None:
        return finding

    def passes(changed: PlanNumbers) -> bool:
        judged = judge(budget, changed)
        return judged is None or judged.level == PASS

    nearest = changes_that_pass(passes, numbers)
    cure = f"would pass with {', or '.join(change.in_words() for change in nearest)}" if nearest else "raise the limit"
    return replace(finding, message=f"{finding.message}: {cure}", nearest=nearest)


def _flops(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    if budget.max_flops is None:
        return None
    matmuls = f"6 x {numbers.matmul_parameters:,} matmul parameters"
    attention = numbers.flops_per_token - 6 * numbers.matmul_parameters  # and what checkpointing computes again
    arithmetic = f"({matmuls} + {attention:,} for attention and recomputation) x {numbers.training_tokens:,} tokens"
    within = numbers.flops <= budget.max_flops
    return Finding(
        "budget.max_flops",
        PASS if within else REFUSE,
        numbers.flops,
        budget.max_flops,
        f"{arithmetic} = {numbers.flops:.4g} FLOPs {'<=' if within else '>'} budget.max_flops {budget.max_flops:.4g}",
    )


def _tokens_per_parameter(
    name: str, is_minimum: bool, level: str, budget: BudgetConfig, numbers: PlanNumbers
) -> Finding | None:
    allowed: float | None = getattr(budget, name)
    if allowed is None:
        return None
    ratio = numbers.tokens_per_parameter
    within = ratio >= allowed if is_minimum else ratio <= allowed
    sign = (">=" if within else "<") if is_minimum else ("<=" if within else ">")
    message = (
        f"{numbers.training_tokens:,} tokens / {numbers.parameters:,} parameters = {ratio:.4g} tokens per parameter"
        f" {sign} budget.{name} {allowed:g}"
    )
    return Finding(f"budget.{name}", PASS if within else level, ratio, allowed, message)


def _wall_hours(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    arithmetic = f"{numbers.num_steps:,} steps x {_range(numbers.step_time_s)} s / 3,600"
    return _estimate("max_wall_hours", budget.max_wall_hours, numbers.wall_hours, arithmetic, " hours")


def _device_hours(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    arithmetic = f"{_range(numbers.wall_hours)} hours x {numbers.num_ranks:,} ranks"
    return _estimate("max_device_hours", budget.max_device_hours, numbers.device_hours, arithmetic, " device hours")


def _cost(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    arithmetic = f"{_range(numbers.device_hours)} device hours x {numbers.price_per_device_hour or 0:g}"
    if numbers.price_per_device_hour is None:
        return _estimate("max_cost", budget.max_cost, numbers.cost, arithmetic, "", "so it limits nothing")
    return _estimate("max_cost", budget.max_cost, numbers.cost, arithmetic, "")


def _estimate(
    name: str,
    allowed: float | None,
    estimate: Estimate,
    arithmetic: str,
    unit: str,
    held: str = "while it trains, what is spent is held to it",
) -> Finding | None:
    """A range passes when all of it is within, and is refused when all of it is beyond; in between it is warned of."""
    if allowed is None:
        return None
    limit = f"budget.{name}"
    if estimate.low is None or estimate.high is None:
        message = f"{limit} {allowed:g} cannot be checked before the training starts: {estimate.reason}"
        return Finding(limit, WARN, None, allowed, f"{message}; {held}")
    level = PASS if estimate.high <= allowed else REFUSE if estimate.low > allowed else WARN
    sign = {PASS: "<=", WARN: "reach beyond", REFUSE: ">"}[level]
    message = f"{arithmetic} = {_range(estimate)}{unit} {sign} {limit} {allowed:g}"
    return Finding(limit, level, estimate.high, allowed, message)


def _range(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "unknown"
    low, high = f"{estimate.low:.4g}", f"{estimate.high:.4g}"
    return low if low == high else f"{low} to {high}"


def _repeats(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    """Exact once `shards` has counted; before, refused only where even the most tokens there can be are too few, and
    warned of where as many as there likely are would be."""
    if budget.max_repeats is None:
        return None
    if numbers.unique_tokens is not None:
        return _repeats_of(budget.max_repeats, numbers, numbers.unique_tokens, "{:,} unique tokens", REFUSE)
    likely = numbers.likely_unique_tokens
    known_by = "the size of the sources" if likely is None else "the bytes that are left"
    most = f"at most {{:,}} unique tokens (by {known_by})"
    # Of a corpus that has come to nothing its own step says why.
    level = REFUSE if likely is None or numbers.max_unique_tokens else WARN
    found = _repeats_of(budget.max_repeats, numbers, numbers.max_unique_tokens, most, level)
    if found.level == PASS and likely is not None:
        some = f"likely {{:,}} unique tokens (by {known_by})"
        found = _repeats_of(budget.max_repeats, numbers, likely, some, WARN)
    if found.level == REFUSE:
        return found
    return replace(found, message=f"{found.message}; checked again when `shards` has counted the tokens")


def _repeats_of(allowed: float, numbers: PlanNumbers, unique: int, what: str, level: str) -> Finding:
    if not unique:
        message = f"{numbers.training_tokens:,} training tokens, but {what.format(0)}: there is nothing to repeat"
        return Finding("budget.max_repeats", level, float(numbers.training_tokens), allowed, message)
    repeats = numbers.training_tokens / unique
    within = repeats <= allowed
    least = "at least " if what.startswith("at most") else ""
    message = (
        f"{numbers.training_tokens:,} training tokens / {what.format(unique)} = {least}{repeats:.4g} repeats"
        f" {'<=' if within else '>'} budget.max_repeats {allowed:g}"
    )
    return Finding("budget.max_repeats", PASS if within else level, repeats, allowed, message)


def _predicted_loss(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    limit, allowed = "budget.max_predicted_loss", budget.max_predicted_loss
    if allowed is None:
        return None
    predicted = numbers.predicted_loss
    if predicted.value is None:
        return Finding(limit, WARN, None, allowed, f"{limit} {allowed:g} cannot be checked: {predicted.reason}")
    within = predicted.value <= allowed
    message = (
        f"{predicted.law}'s law of {numbers.parameters:,} parameters and {numbers.training_tokens:,} tokens, assuming"
        f" {predicted.assumes}, = {predicted.value:.4g} nats per token {'<=' if within else '>'} {limit} {allowed:g}"
    )
    return Finding(limit, PASS if within else REFUSE, predicted.value, allowed, message)


def _mixture(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    """Whether the sources give a training of this length. No limit of the budget: the mixture sets it itself."""
    mixture = numbers.mixture
    if mixture is None:
        return None
    most = mixture.most_tokens
    within = numbers.training_tokens <= most
    # What there is at most is refused for good; what there likely is may be more.
    level = PASS if within else WARN if mixture.known == LIKELY else REFUSE
    known = "" if mixture.known == COUNTED else f"{mixture.known} "
    message = (
        f"{numbers.training_tokens:,} training tokens {'<=' if within else '>'} {known}{most:,} that the sources give "
        f"with data.mixture.max_epochs {mixture.config.max_epochs:g}"
        + (" and .tokens" if mixture.config.tokens else "")
    )
    return Finding("data.mixture.max_epochs", level, float(numbers.training_tokens), float(most), message)


_JUDGES: tuple[Judge, ...] = (
    _flops,
    _device_hours,
    _wall_hours,
    _cost,
    _predicted_loss,
    partial(_tokens_per_parameter, "min_tokens_per_parameter", True, REFUSE),
    partial(_tokens_per_parameter, "warn_min_tokens_per_parameter", True, WARN),
    partial(_tokens_per_parameter, "max_tokens_per_parameter", False, REFUSE),
    partial(_tokens_per_parameter, "warn_max_tokens_per_parameter", False, WARN),
    _repeats,
    _mixture,
)
