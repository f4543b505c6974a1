"""The budget: a plan's numbers held against the run file's limits. It decides and touches nothing."""

from dataclasses import asdict, dataclass
from typing import Any

from seedbed.runfile.budget import BudgetConfig

PASS, WARN, REFUSE = "pass", "warn", "refuse"
_LEVELS = (PASS, WARN, REFUSE)


@dataclass(frozen=True)
class PlanNumbers:
    """What a run costs, as counted before it starts."""

    parameters: int
    matmul_parameters: int
    flops_per_token: int
    training_tokens: int
    unique_tokens: int | None  # of the training split; None until `shards` has counted them
    max_unique_tokens: int  # what there can be at most, by the size of the sources

    @property
    def flops(self) -> int:
        return self.flops_per_token * self.training_tokens


@dataclass(frozen=True)
class Finding:
    """One limit, and how the plan stands to it."""

    limit: str  # dotted key in the run file
    level: str  # pass, warn or refuse
    measured: float
    allowed: float
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def check_budget(budget: BudgetConfig, numbers: PlanNumbers) -> list[Finding]:
    """One finding for each limit that is set."""
    found = [_flops(budget, numbers), *_tokens_per_parameter(budget, numbers), _repeats(budget, numbers)]
    return [finding for finding in found if finding is not None]


def verdict(findings: list[Finding]) -> str:
    """The worst level: pass, warn or refuse."""
    return max((finding.level for finding in findings), key=_LEVELS.index, default=PASS)


def _flops(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    if budget.max_flops is None:
        return None
    matmuls = f"6 x {numbers.matmul_parameters:,} matmul parameters"
    attention = numbers.flops_per_token - 6 * numbers.matmul_parameters  # and what checkpointing computes again
    arithmetic = f"({matmuls} + {attention:,} for attention and recomputation) x {numbers.training_tokens:,} tokens"
    within = numbers.flops <= budget.max_flops
    return _finding(
        "budget.max_flops",
        PASS if within else REFUSE,
        numbers.flops,
        budget.max_flops,
        f"{arithmetic} = {numbers.flops:.4g} FLOPs {'<=' if within else '>'} budget.max_flops {budget.max_flops:.4g}",
        "take fewer steps or a smaller model, or raise the limit",
    )


def _tokens_per_parameter(budget: BudgetConfig, numbers: PlanNumbers) -> list[Finding]:
    ratio = numbers.training_tokens / numbers.parameters
    arithmetic = f"{numbers.training_tokens:,} tokens / {numbers.parameters:,} parameters = {ratio:.4g}"
    limits = (  # name, is it a minimum, what it means to be beyond, what mends it
        ("min_tokens_per_parameter", True, REFUSE, "take more steps or a smaller model"),
        ("warn_min_tokens_per_parameter", True, WARN, "more steps or a smaller model would use the FLOPs better"),
        ("max_tokens_per_parameter", False, REFUSE, "take fewer steps or a larger model"),
        ("warn_max_tokens_per_parameter", False, WARN, "a larger model would use the FLOPs better"),
    )
    findings = []
    for name, is_minimum, level, cure in limits:
        allowed = getattr(budget, name)
        if allowed is None:
            continue
        within = ratio >= allowed if is_minimum else ratio <= allowed
        sign = (">=" if within else "<") if is_minimum else ("<=" if within else ">")
        message = f"{arithmetic} tokens per parameter {sign} budget.{name} {allowed:g}"
        findings.append(_finding(f"budget.{name}", PASS if within else level, ratio, allowed, message, cure))
    return findings


def _repeats(budget: BudgetConfig, numbers: PlanNumbers) -> Finding | None:
    """Exact once `shards` has counted; before, refused only where even the most tokens there can be are too few."""
    if budget.max_repeats is None:
        return None
    exact = numbers.unique_tokens is not None
    unique = numbers.unique_tokens if numbers.unique_tokens is not None else numbers.max_unique_tokens
    repeats = numbers.training_tokens / unique if unique else float(numbers.training_tokens)
    within = repeats <= budget.max_repeats
    what = f"{unique:,} unique tokens" if exact else f"at most {unique:,} unique tokens (by the size of the sources)"
    sign = "<=" if within else ">"
    message = (
        f"{numbers.training_tokens:,} training tokens / {what} = {'' if exact else 'at least '}{repeats:.4g} repeats"
        f" {sign} budget.max_repeats {budget.max_repeats:g}"
    )
    if within and not exact:
        message += "; checked again when `shards` has counted the tokens"
    cure = "take fewer steps or more data, or raise the limit"
    return _finding("budget.max_repeats", PASS if within else REFUSE, repeats, budget.max_repeats, message, cure)


def _finding(limit: str, level: str, measured: float, allowed: float, message: str, cure: str) -> Finding:
    return Finding(limit, level, measured, allowed, message if level == PASS else f"{message}: {cure}")
