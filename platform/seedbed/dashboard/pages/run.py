"""One run: steps, funnel, curves, budget, checkpoints; logs, events and plan on pages of their own."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response

from seedbed import reports
from seedbed.dashboard.drawings import Graph, funnel, graph
from seedbed.dashboard.live import live_part, stream
from seedbed.dashboard.log_tail import LogTail
from seedbed.dashboard.rows import Row, run_row
from seedbed.dashboard.run_actions import actions
from seedbed.dashboard.run_details import AttemptReport, RunDetails
from seedbed.dashboard.run_links import links
from seedbed.dashboard.seen_state import SILENT, UNREACHABLE
from seedbed.dashboard.watch import View
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.runs import FAILED, RUNNING
from seedbed.show import DONE
from seedbed.store import Store
from seedbed.summary import FUNNEL_STEPS

MAX_EVENTS = 200

router = APIRouter()


@dataclass(frozen=True)
class Subject:
    """The run that a page is about."""

    app: FastAPI
    view: View
    row: Row
    store: Store
    details: RunDetails
    now: float

    @property
    def key(self) -> str:
        return f"{self.row.store_url} {self.row.run_id}"


def subject(request: Request, run_id: str, store: str | None = None) -> Subject:
    """Raises UsageError where no such run is known."""
    return find(request.app, run_id, store)


def find(app: FastAPI, run_id: str, store: str | None) -> Subject:
    view, now = app.state.watch.view(), time.time()
    run = view.run(run_id, store)
    opened = app.state.watch.store(run.store_url)
    return Subject(app, view, run_row(view, run, now), opened, app.state.details[run.store_url], now)


TheRun = Annotated[Subject, Depends(subject)]


@router.get("/runs/{run_id}")
def page(request: Request, of: TheRun) -> Response:
    """How far the run is, and what came of it."""
    return request.app.state.page.show(request, "run.html", tab="overview", **_context(of))


@router.get("/live/runs/{run_id}")
def live(request: Request, of: TheRun) -> Response:
    app, run_id, store = request.app, of.row.run_id, of.row.store_url

    def render() -> str:
        part: str = app.state.page.part("live/run.html", **_context(find(app, run_id, store)))
        return part

    return live_part(request, f"run {of.key}", render)


def _context(of: Subject) -> dict[str, Any]:
    run = of.row.run
    assert run is not None, "it was found among the runs"
    plan = of.details.plan(run)
    attempts = of.details.attempts(run)
    steps = _steps(of, plan, attempts)
    return {
        "row": of.row,
        "now": of.now,
        "plan": plan,
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
    limits = plan.run.budget.model_dump(mode="json")
    return [
        {
            "key": key,
            "allowed": limits[key],
            "planned": value,
            "spent": spent.get(key.removeprefix("max_")),
            "forecast": spent.get(f"forecast_{key.removeprefix('max_')}"),
        }
        for key, value in planned.items()
    ]


@router.get("/runs/{run_id}/curves.json")
def curves(of: TheRun) -> Response:
    """The curves of the run, or of the run that made its training."""
    run = of.row.run
    assert run is not None, "it was found among the runs"
    plan = of.details.plan(run)
    made_by = of.details.step(plan.step("pretrain")).get("made_by_run") or run.run_id
    facts = {
        "run": run.run_id,
        "made_by": made_by,
        "num_steps": plan.run.training.num_steps,
        "predicted_loss": asdict(plan.predicted_loss),
    }
    document = of.app.state.curves.document(of.store, made_by, facts)
    return Response(document, media_type="application/json")


@router.get("/runs/{run_id}/logs")
def logs(request: Request, of: TheRun, attempt: int | None = None, source: str | None = None) -> Response:
    """What driver and ranks print, followed; `source` empty for all."""
    source = source or None
    numbers = reports.attempts(of.store, of.row.run_id)
    if not numbers:
        return _logs_page(request, of, [])
    number = numbers[-1] if attempt is None else attempt
    tail = _tail(of, number, source)
    tail.look()
    last, lines = tail.lines()
    sources = reports.LogReader(of.store, of.row.run_id, number).sources()
    return _logs_page(request, of, numbers, number, source, sources, last, lines)


def _logs_page(
    request: Request,
    of: Subject,
    numbers: list[int],
    attempt: int | None = None,
    source: str | None = None,
    sources: Sequence[str] = (),
    last: int = 0,
    lines: Sequence[tuple[str, str]] = (),
) -> Response:
    shown = {"numbers": numbers, "attempt": attempt, "source": source, "sources": sources, "last": last, "lines": lines}
    page: Response = request.app.state.page.show(request, "logs.html", tab="logs", row=of.row, now=of.now, **shown)
    return page


@router.get("/live/runs/{run_id}/logs")
def live_logs(request: Request, of: TheRun, attempt: int, source: str | None = None, seen: int = 0) -> Response:
    tail = _tail(of, attempt, source)  # here, in a thread: it asks the store
    return stream(request, f"logs {of.key} {attempt} {source}", lambda: tail, seen)


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
def plan_page(request: Request, of: TheRun) -> Response:
    """What was planned, the budget's verdict, and the run file with everything filled in."""
    run = of.row.run
    assert run is not None, "it was found among the runs"
    return request.app.state.page.show(
        request,
        "plan.html",
        tab="plan",
        row=of.row,
        now=of.now,
        plan=of.details.plan(run),
        resolved=of.details.resolved(run),
    )
