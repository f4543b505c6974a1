"""How far a layout is from one plain process, and how far it may be.

In fp32 both do the same arithmetic in another order, so they differ by rounding: the limits are far above what it makes
(measured: 5e-7 of a gradient) and far below what a wrong factor, a lost rank or stage or a weight tied on paper makes.
AdamW divides by the gradient's size, so rounding of a gradient near zero becomes a step of full size: its weights get
more room, and it is SGD that shows errors of scale.

In bf16 and fp16 the yardstick is a plain process in the same precision: its distance to the fp32 reference, twice.
"""

import math
from collections.abc import Iterator

from jobs.pretrain.conform.case import NUM_STEPS, Case
from jobs.pretrain.conform.result import CaseResult, Check
from jobs.pretrain.conform.trace import Tensors, Trace, distance, length, relative

FP32_LIMIT = 1e-5
COPIES_LIMIT = 1e-6  # those of a tied weight lie otherwise in memory, and an optimizer's vector and its rest may round
ADAMW_LIMIT = 1e-3  # after the first step, of gradients and weights
TIMES_PLAIN = 2.0
TIMES_PLAIN_SINGLE = 4.0  # one parameter's gradient may have more bad luck than all together
LOSS_LIMIT_BELOW_FP32 = 1e-3


def compare(case: Case, layout: Trace, reference: Trace, plain: Trace, initial: Tensors) -> CaseResult:
    """`layout` against the fp32 `reference`, and `plain`, one process in the case's precision.

    `initial` are the weights before the first step: movements are compared, not places.
    """
    worst: dict[str, Check] = {}
    for kind, check in _checks(case, layout, reference, plain, initial):
        if kind not in worst or _badness(check) > _badness(worst[kind]):
            worst[kind] = check
    return CaseResult(case.name, tuple(worst.values()))


def _badness(check: Check) -> float:
    """By what part of its limit a check is off; no number is worse than any, or the next check would hide it."""
    part = check.error / check.limit
    return math.inf if math.isnan(part) else part


def _checks(case: Case, layout: Trace, reference: Trace, plain: Trace, initial: Tensors) -> Iterator[tuple[str, Check]]:
    below_fp32 = case.training.precision != "fp32"
    for step in range(NUM_STEPS):
        at = step + 1
        ours, theirs, alone = layout.gradients[step], reference.gradients[step], plain.gradients[step]
        missing = theirs.keys() - ours.keys()
        named = ", ".join(["parameters without a gradient", *sorted(missing)])
        yield "missing", Check(named, at, float(len(missing)), 0.5)
        if missing:
            continue
        size = length(theirs)
        own_rounding = distance(alone, theirs) / size
        moved = case.optimizer == "adamw" and step > 0
        limit = TIMES_PLAIN * own_rounding if below_fp32 else (ADAMW_LIMIT if moved else FP32_LIMIT)
        yield "gradient", Check("gradient of all parameters", at, distance(ours, theirs) / size, limit)
        for name in theirs:
            single = max(relative(alone[name], theirs[name]), own_rounding) * TIMES_PLAIN_SINGLE
            check = Check(
                f"gradient of {name}", at, relative(ours[name], theirs[name]), single if below_fp32 else limit
            )
            yield "single", check
        # A norm is no further off than the gradient is.
        norm = abs(layout.norms[step] / reference.norms[step] - 1)
        yield "norm", Check("gradient norm before clipping", at, norm, limit)
        loss = abs(layout.losses[step] / reference.losses[step] - 1)
        yield "loss", Check("loss", at, loss, LOSS_LIMIT_BELOW_FP32 if below_fp32 else FP32_LIMIT)
        yield "copies", Check("copies of a parameter on several ranks", at, layout.divergences[step], COPIES_LIMIT)
        movement = distance(reference.weights[step], initial)
        apart = distance(layout.weights[step], reference.weights[step]) / movement
        plain_apart = TIMES_PLAIN * distance(plain.weights[step], reference.weights[step]) / movement
        fp32_limit = ADAMW_LIMIT if case.optimizer == "adamw" else FP32_LIMIT
        yield "weights", Check(f"weights after {case.optimizer}", at, apart, plain_apart if below_fp32 else fp32_limit)
