"""One run: steps, funnel, curves, budget, checkpoints; logs, events and plan on pages of their own."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dataprep.errors import CorruptDataError
from seedbed import reports
from seedbed.artifact import Artifact
from seedbed.dashboard.drawings import Graph, funnel, graph
from seedbed.dashboard.live import live_part, stream
from seedbed.dashboard.log_tail import LogTail
from seedbed.dashboard.pages.subject import Subject, TheRun, find
from seedbed.dashboard.run_actions import actions
from seedbed.dashboard.run_details import AttemptReport
from seedbed.dashboard.run_links import links
from seedbed.dashboard.seen_state import SILENT, UNREACHABLE
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.runs import FAILED, RUNNING
from seedbed.show import DONE
from seedbed.summary import FUNNEL_STEPS

MAX_EVENTS = 200

router = APIRouter()


@router.get("/runs/{run_id}")
async def page(request: Request, of: TheRun) -> Response:
    """How far the run is, and what came of it."""
    context = await of.read(lambda: _context(of))
    return request.app.state.page.show(request, "run.html", tab="overview", fault=None, **context)


@router.get("/live/runs/{run_id}")
def live(request: Request, of: TheRun) -> Response:
    app, run_id, store = request.app, of.row.run_id, of.row.store_url

    def render() -> str:
        part: str = app.state.page.part("live/run.html", **_context(find(app, run_id, store)))
        return part

    return live_part(request, f"run {of.key}", render, of.reads.streams)


def _context(of: Subject) -> dict[str, Any]:
    run = of.run
    plan = of.details.plan(run)
    attempts = of.details.attempts(run)
    steps = _steps(of, plan, attempts)
    return {
        "row": of.row,
        "now": of.now,
        "plan": plan,
        "plan_fault": _fault(plan),
        "record": of.details.record(run),
        "attempts": attempts,
        "steps": steps,
        "graph": _graph(plan),
        "funnel": funnel(steps, FUNNEL_STEPS),
        "training": of.details.training(plan),
        "budget": _budget(of, plan),
        "checkpoints": of.details.checkpoints(plan),
        "actions": actions(of.row),
        "links": links(of.view, of.row, plan, of.app.state.watch.state),
    }


def _fault(plan: Plan) -> str | None:
    """What another version of Seedbed wrote into the plan that this one does not know. The page shows the rest."""
    try:
        _ = plan.run
    except CorruptDataError as error:
        return str(error)
    return None


def _graph(plan: Plan) -> Graph:
    return graph({step.kind: list(step.parents) for step in plan.steps})


def _steps(of: Subject, plan: Plan, attempts: list[AttemptReport]) -> list[dict[str, Any]]:
    """What each step did or is doing; `shown` is its state as it may be called now."""
    beat = of.row.heartbeat or (attempts[-1].heartbeat if attempts else None) or {}
    end = attempts[-1].end if attempts else None
    steps = []
    for step in of.details.steps(plan):
        shown = step["state"]
        if shown == DONE:
            shown = "done" if step["made_by_run"] == of.row.run_id else "cached"
        elif beat.get("step") == step["kind"] and of.row.is_at_it:
            shown = of.row.state.state if of.row.state.state in (SILENT, UNREACHABLE) else RUNNING
        elif end is not None and end.get("step") == step["kind"]:
            shown = FAILED if end.get("failure") else "stopped"
        is_now = shown in (RUNNING, SILENT, UNREACHABLE) and beat.get("step") == step["kind"]
        steps.append(step | {"shown": shown, "beat": beat if is_now else None})
    return steps


def _budget(of: Subject, plan: Plan) -> list[dict[str, Any]]:
    """For each limit of the run file: what is allowed, planned, spent, and forecast at the pace so far."""
    spent = of.row.spending or of.details.spending(plan)
    planned = {
        "max_flops": plan.flops,
        "max_wall_hours": plan.hours.high,
        "max_device_hours": plan.device_hours.high,
        "max_cost": plan.cost.high,
    }
    limits = plan.config["budget"]
    return [
        {
            "key": key,
            "allowed": limits.get(key),
            "planned": value,
            "spent": spent.get(key.removeprefix("max_")),
            "forecast": spent.get(f"forecast_{key.removeprefix('max_')}"),
        }
        for key, value in planned.items()
    ]


@router.get("/runs/{run_id}/curves.json")
async def curves(of: TheRun) -> Response:
    """The curves of the run, or of the run that made its training."""
    return Response(await of.read(lambda: _curves(of)), media_type="application/json")


def _curves(of: Subject) -> bytes:
    run = of.run
    plan = of.details.plan(run)
    pretrain = plan.step("pretrain")
    made_by = of.details.step(pretrain).get("made_by_run") or run.run_id
    facts = {
        "run": run.run_id,
        "made_by": made_by,
        "num_steps": plan.config["training"]["num_steps"],
        "predicted_loss": asdict(plan.predicted_loss),
    }
    artifact = Artifact(of.store, pretrain.kind, pretrain.fingerprint)
    found: bytes = of.app.state.curves.document(of.store, made_by, facts, artifact.path)
    return found


@router.get("/runs/{run_id}/logs")
async def logs(request: Request, of: TheRun, attempt: int | None = None, source: str | None = None) -> Response:
    """What driver and ranks print, followed; `source` empty for all."""
    shown = await of.read(lambda: _log(of, attempt, source or None))
    return request.app.state.page.show(request, "logs.html", tab="logs", row=of.row, now=of.now, **shown)


def _log(of: Subject, attempt: int | None, source: str | None) -> dict[str, Any]:
    numbers = reports.attempts(of.store, of.row.run_id)
    if not numbers:
        return {"numbers": []}
    number = numbers[-1] if attempt is None else attempt
    tail = _tail(of, number, source)
    tail.look()
    last, lines = tail.lines()
    sources = reports.LogReader(of.store, of.row.run_id, number).sources()
    return {
        "numbers": numbers,
        "attempt": number,
        "source": source,
        "sources": sources,
        "last": last,
        "lines": lines,
    }


@router.get("/live/runs/{run_id}/logs")
async def live_logs(request: Request, of: TheRun, attempt: int, source: str | None = None, seen: int = 0) -> Response:
    tail = await of.read(lambda: _tail(of, attempt, source))
    # A tail that was forgotten and made anew counts its lines anew: what the page has seen is of this one.
    return stream(request, f"logs {of.key} {attempt} {source} {id(tail)}", lambda: tail, seen, of.reads.streams)


def _tail(of: Subject, attempt: int, source: str | None) -> LogTail:
    if attempt not in reports.attempts(of.store, of.row.run_id):
        raise UsageError(f"run {of.row.run_id} has no attempt {attempt} that has reported")
    if source is not None and source not in reports.LogReader(of.store, of.row.run_id, attempt).sources():
        raise UsageError(f"attempt {attempt} of run {of.row.run_id} has no log of {source!r}")
    kept = of.app.state.tails
    tail: LogTail = kept.get((of.key, attempt, source), lambda: LogTail(of.store, of.row.run_id, attempt, source))
    return tail


@router.get("/runs/{run_id}/events")
def events(request: Request, of: TheRun) -> Response:
    """Who did what to it, and why."""
    return request.app.state.page.show(request, "events.html", tab="events", row=of.row, now=of.now, events=_events(of))


def _events(of: Subject) -> list[Any]:
    subjects = [f"run {of.row.run_id}"]
    registry = of.app.state.watch.registry
    for job in registry.jobs(run_id=of.row.run_id):
        subjects.append(f"job {job.id}")
        subjects += [f"attempt {job.id}.{attempt.number}" for attempt in registry.attempts(job.id)]
    found: list[Any] = registry.events(subjects, limit=MAX_EVENTS, newest_first=True)
    return found


@router.get("/runs/{run_id}/plan")
async def plan_page(request: Request, of: TheRun) -> Response:
    """What was planned, the budget's verdict, and the run file with everything filled in."""
    plan, resolved = await of.read(lambda: (of.details.plan(of.run), of.details.resolved(of.run)))
    shown = {"plan": plan, "resolved": resolved}
    return request.app.state.page.show(request, "plan.html", tab="plan", row=of.row, now=of.now, **shown)
