"""Data: what became of every page of the crawl, one by one and all together."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from dataprep.clean import RULES
from seedbed.dashboard.drawings import funnel, histogram
from seedbed.dashboard.live import live_part
from seedbed.dashboard.pages.subject import Subject, find, find_named
from seedbed.dashboard.rows import ambiguous
from seedbed.document_text import document_text
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.planted import COPIES, PASSAGES, plant_lines
from seedbed.sample import STEPS, sample
from seedbed.show import DONE
from seedbed.summary import FUNNEL_STEPS
from seedbed.survey import Share, Survey, survey
from seedbed.why import why

HISTOGRAM = (300, 90)  # pixels
SHOWN = 12
"""Languages, sources and domains in a table."""
SAMPLES = 10
MAX_SAMPLE_SHARDS = 100
MAX_CHARACTERS = 20_000
SAMPLE_CHARACTERS = 1_500

router = APIRouter()


def _subject(app: FastAPI, run: str | None, store: str | None) -> Subject | None:
    """The run that is asked for, else the newest; None where there is none."""
    if run is not None:
        return find_named(app, run, store)
    runs = app.state.watch.view().runs
    watched = [one for one in runs if one.store_url in app.state.watch.stores]
    return find(app, watched[0].run_id, watched[0].store_url) if watched else None


@router.get("/data")
async def page(request: Request, run: str | None = None, store: str | None = None) -> Response:
    """The data of a run, as a whole."""
    of = _subject(request.app, run, store)
    if of is None:
        return request.app.state.page.show(request, "no_data.html")
    context = await of.read(lambda: _context(of, counts=False))
    return request.app.state.page.show(
        request, "data.html", **context, runs=of.view.runs, ambiguous=ambiguous(of.view.runs)
    )


@router.get("/live/data")
def live(request: Request, run: str, store: str | None = None) -> Response:
    of = find(request.app, run, store)
    app, place = request.app, of.row.store_url

    def render() -> str:
        part: str = app.state.page.part("live/data.html", **_context(find(app, run, place), counts=True))
        return part

    return live_part(request, f"data {of.key}", render, of.reads.streams)


def _context(of: Subject, counts: bool) -> dict[str, Any]:
    """`counts` False leaves out what takes a while to count, unless it was counted before."""
    plan = of.details.plan(of.run)
    steps = of.details.steps(plan)
    done = {step["kind"] for step in steps if step["state"] == DONE}
    counted = _survey(of, plan, done, counts)
    return {
        "row": of.row,
        "now": of.now,
        "steps": steps,
        "funnel": funnel(steps, FUNNEL_STEPS),
        **_proofs(steps),
        "is_annotated": "annotate" in done,
        "has_ledger": "ledger" in done,
        "survey": counted,
        "size": HISTOGRAM,
        "histograms": [(one, histogram(one, *HISTOGRAM)) for one in counted.distributions] if counted else [],
        "tables": _tables(counted) if counted else [],
    }


def _proofs(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What was found of evaluation sets and of plants; None where it was not looked for, or is to do."""
    by_kind = {step["kind"]: step for step in steps if step["state"] == DONE}
    copies, passages = by_kind.get("deduplicate", {}).get(COPIES), by_kind.get("decontaminate", {}).get(PASSAGES)
    return {
        "benchmarks": by_kind.get("decontaminate", {}).get("benchmarks"),
        "copies": copies,
        "passages": passages,
        "plants_said": plant_lines(by_kind),
    }


def _survey(of: Subject, plan: Plan, done: set[str], counts: bool) -> Survey | None:
    if "annotate" not in done:
        return None
    key = (of.row.store_url, plan.step("select").fingerprint, "ledger" in done and plan.step("ledger").fingerprint)
    found: Survey | None = of.app.state.surveys.get(
        key, lambda: survey(of.store, plan) if counts else None, lambda made: made is not None
    )
    return found


def _tables(counted: Survey) -> list[tuple[str, int, list[tuple[str, Share]]]]:
    named = (("Language", counted.languages), ("Source", counted.sources), ("Domain", counted.domains))
    return [
        (name, len(shares), sorted(shares.items(), key=lambda item: (-item[1].records, item[0]))[:SHOWN])
        for name, shares in named
        if shares
    ]


@router.get("/data/document")
async def document(request: Request, run: str, target: str = "", store: str | None = None) -> Response:
    """One page of the crawl: what became of it and why, its way through the steps, its text."""
    of = find(request.app, run, store)
    shown = await of.read(lambda: _document(of, target.strip()))
    return request.app.state.page.show(request, "document.html", status=404 if shown["fault"] else 200, **shown)


def _document(of: Subject, wanted: str) -> dict[str, Any]:
    plan = of.details.plan(of.run)
    told, fault = None, None
    try:
        told = why(of.store, plan, wanted) if wanted else None
    except UsageError as error:
        fault = str(error)
    spans = document_text(of.store, plan, told["document_id"]) if told is not None else None
    return {
        "row": of.row,
        "target": wanted,
        "told": told,
        "fault": fault,
        "spans": _cut(spans) if spans else None,
        "num_characters": sum(len(span.text) for span in spans or ()),
        "shown": MAX_CHARACTERS,
    }


def _cut(spans: Sequence[Any]) -> list[tuple[str, str | None, str]]:
    """The first MAX_CHARACTERS, as (text, rule that cut it, what stands in its place)."""
    found: list[tuple[str, str | None, str]] = []
    left = MAX_CHARACTERS
    for span in spans:
        if left <= 0:
            break
        found.append((span.text[:left], span.rule, span.added))
        left -= len(span.text)
    return found


@router.get("/data/samples")
async def samples(
    request: Request, run: str, step: str = "select", reason: str = "", seed: int = 0, store: str | None = None
) -> Response:
    """Some documents that a step kept, or dropped for a reason, to read."""
    of = find(request.app, run, store)
    shown = await of.read(lambda: _samples(of, step, reason, seed))
    return request.app.state.page.show(request, "samples.html", status=404 if shown["fault"] else 200, **shown)


def _samples(of: Subject, step: str, reason: str, seed: int) -> dict[str, Any]:
    plan = of.details.plan(of.run)
    found, fault = [], None
    try:
        found = sample(of.store, plan, step, reason or None, SAMPLES, seed, MAX_SAMPLE_SHARDS)
    except UsageError as error:
        fault = str(error)
    by_kind = {one["kind"]: one for one in of.details.steps(plan)}
    reasons = {kind: by_kind[kind]["dropped"] for kind in STEPS if kind in by_kind and by_kind[kind]["state"] == DONE}
    choices = {kind: sorted(RULES if kind == "clean" else dropped) for kind, dropped in reasons.items()}
    return {
        "row": of.row,
        "step": step,
        "reason": reason,
        "seed": seed,
        "samples": found,
        "fault": fault,
        "choices": choices,
        "most": SAMPLE_CHARACTERS,
        "max_shards": MAX_SAMPLE_SHARDS,
    }
