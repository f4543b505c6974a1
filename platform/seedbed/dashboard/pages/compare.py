"""Compare: what was planned differently, how it learnt, what became of the records, for two runs or more."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from dataprep.errors import CorruptDataError
from seedbed.dashboard.drawings import funnel
from seedbed.dashboard.pages.subject import Subject, find_named
from seedbed.dashboard.rows import Row, ambiguous, run_href
from seedbed.plan import Plan
from seedbed.summary import FUNNEL_STEPS

MAX_RUNS = 6
"""As many as there are colours that can be told apart."""
MAX_CHOICES = 100
_MISSING = object()

router = APIRouter()


@dataclass(frozen=True)
class Compared:
    """A run, and what its store tells of it."""

    of: Subject
    plan: Plan
    steps: list[dict[str, Any]]
    training: dict[str, Any]
    spending: dict[str, Any]

    @property
    def row(self) -> Row:
        return self.of.row


@router.get("/compare")
async def page(request: Request, run: Annotated[list[str] | None, Query()] = None) -> Response:
    """The runs side by side, in the order in which they are named."""
    wanted = list(dict.fromkeys(run or []))
    subjects = [find_named(request.app, name) for name in wanted[:MAX_RUNS]]
    found = await asyncio.gather(*(of.read(partial(_compared_or_fault, of)) for of in subjects))
    chosen = [one for one in found if isinstance(one, Compared)]
    plans = [one.plan for one in chosen]
    curves = [
        {"url": run_href(one.row.run_id, one.row.store_url, "/curves.json"), "name": one.row.run_id} for one in chosen
    ]
    choices = request.app.state.watch.view().runs[:MAX_CHOICES]
    return request.app.state.page.show(
        request,
        "compare.html",
        chosen=chosen,
        choices=choices,
        ambiguous=ambiguous(choices),
        wanted=[(one.row.run_id, one.row.store_url) for one in chosen],
        faults=[one for one in found if isinstance(one, str)],
        too_many=len(wanted) > MAX_RUNS,
        most=MAX_RUNS,
        curves=json.dumps(curves),
        numbers=_numbers(chosen),
        differences=differences([plan.config for plan in plans]),
        steps=_steps(plans),
        funnels=[(one.row, funnel(one.steps, FUNNEL_STEPS)) for one in chosen],
    )


def _compared_or_fault(of: Subject) -> Compared | str:
    """What is wrong with a run that cannot be read; the others are compared without it."""
    try:
        return _compared(of)
    except CorruptDataError as error:
        return str(error)


def _compared(of: Subject) -> Compared:
    plan = of.details.plan(of.run)
    trained = of.details.training(plan) or of.row.training
    return Compared(of, plan, of.details.steps(plan), trained, of.row.spending or of.details.spending(plan))


def _numbers(chosen: Sequence[Compared]) -> list[tuple[str, str, list[Any]]]:
    """(what, the filter that writes it, a value a run)."""
    plans, trained = [one.plan for one in chosen], [one.training for one in chosen]
    spent = [one.spending for one in chosen]
    return [
        ("Parameters", "short_count", [plan.parameters for plan in plans]),
        ("Training tokens", "short_count", [plan.tokens for plan in plans]),
        ("Steps planned", "count", [plan.config["training"]["num_steps"] for plan in plans]),
        ("Last training loss", "nats", [told.get("loss_last", told.get("loss")) for told in trained]),
        ("Validation loss", "nats", [told.get("validation_loss") for told in trained]),
        ("Bits per byte", "nats", [told.get("bits_per_byte") for told in trained]),
        ("Predicted loss", "nats", [plan.predicted_loss.value for plan in plans]),
        ("FLOPs spent", "real", [told.get("flops") for told in spent]),
        ("Device hours spent", "real", [told.get("device_hours") for told in spent]),
        ("Goodput", "share", [told.get("goodput") if told.get("wall_hours") else None for told in spent]),
    ]


def differences(configs: list[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """(dotted key, a value a run) for each key whose values are not all the same, in the order of the keys."""
    flat = [dict(_flat(config)) for config in configs]
    keys = sorted({key for one in flat for key in one})
    found = [(key, [one.get(key, _MISSING) for one in flat]) for key in keys]
    return [
        (key, ["not said" if value is _MISSING else value for value in values])
        for key, values in found
        if any(value != values[0] for value in values)
    ]


def _flat(value: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [pair for name, inner in value.items() for pair in _flat(inner, f"{key}.{name}" if key else name)]
    return [(key, value)]


def _steps(plans: list[Plan]) -> list[tuple[str, list[str], bool]]:
    """(step, a fingerprint a run, whether all are the same): what the runs share."""
    kinds = list(dict.fromkeys(step.kind for plan in plans for step in plan.steps))  # some runs have a step more
    by_plan = [{step.kind: step.fingerprint for step in plan.steps} for plan in plans]
    rows = [(kind, [prints.get(kind, "none") for prints in by_plan]) for kind in kinds]
    return [(kind, prints, len(set(prints)) == 1) for kind, prints in rows]
