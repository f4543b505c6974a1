"""How long a run will still take, as far as anybody can say."""

from collections.abc import Sequence

from seedbed.plan import Plan
from seedbed.scaling.time_and_money import SECONDS_PER_HOUR

SHORT = ("ledger", "evaluate", "export")
"""Steps that nobody predicts and that take a small part of a run: they are left out of the sum."""


def run_seconds_left(
    plan: Plan, done: Sequence[str], until: str | None, step: str | None, step_seconds_left: float | None
) -> float | None:
    """Seconds to the end of the run: of the step under way at its pace, of the training after it as planned.

    `done` are the kinds of steps that are done. None where a step is to come that nobody can predict.
    """
    kinds = [planned.kind for planned in plan.steps]
    if until in kinds:
        kinds = kinds[: kinds.index(until) + 1]
    seconds = 0.0
    for kind in kinds:
        if kind in done:
            continue
        left = step_seconds_left if kind == step else _predicted(plan, kind)
        if left is None and kind not in SHORT:
            return None
        seconds += left or 0.0
    return seconds


def _predicted(plan: Plan, kind: str) -> float | None:
    if kind != "pretrain" or plan.hours.low is None or plan.hours.high is None:
        return None
    return (plan.hours.low + plan.hours.high) / 2 * SECONDS_PER_HOUR
