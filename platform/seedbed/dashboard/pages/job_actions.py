"""Stop, retry, resume, acknowledge: by the functions that the command line calls, with a question before."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from seedbed import job_requests, reports
from seedbed.dashboard.login import form
from seedbed.dashboard.pages.subject import Subject, TheRun, find
from seedbed.dashboard.rows import run_href
from seedbed.dashboard.run_actions import RESUME, RETRY, STOP, STOP_NOW
from seedbed.errors import StaleState, StoreError, UsageError
from seedbed.login import dashboard_user
from seedbed.registry.records import Job
from seedbed.registry.registry import Registry

PASS_ON_PATIENCE_S = 2.0
"""A store that answers has the request by then; the controller tries each 2 s, 10 s on object stores."""

router = APIRouter()


@dataclass(frozen=True)
class Question:
    """What is asked before something is done."""

    title: str
    text: str
    button: str
    is_dangerous: bool = False


_STOP_TEXT = "It takes a checkpoint and ends, between two units of a data step at once. What was done stays done."
_STOP_NOW_TEXT = (
    "It ends at once. Training steps since its newest checkpoint are lost, and taken again when it goes on."
)
_QUESTIONS = {
    STOP: Question("Stop", _STOP_TEXT, "Stop it"),
    STOP_NOW: Question("Stop now", _STOP_NOW_TEXT, "Stop it now", is_dangerous=True),
    RETRY: Question("Retry", "It goes back into the queue and on from what is done.", "Try again"),
    RESUME: Question("Resume", "It goes back into the queue and on from its newest checkpoint.", "Resume it"),
}

JobAct = Callable[[Registry, Job], Job]
_JOB_ACTS: dict[str, JobAct] = {
    STOP: lambda registry, job: job_requests.ask_to_stop(registry, job, now=False, actor=dashboard_user()),
    STOP_NOW: lambda registry, job: job_requests.ask_to_stop(registry, job, now=True, actor=dashboard_user()),
    RETRY: lambda registry, job: job_requests.retry(registry, job, actor=dashboard_user()),
    RESUME: lambda registry, job: job_requests.resume(registry, job, actor=dashboard_user()),
}


def _question(verb: str) -> Question:
    if verb not in _QUESTIONS:
        raise UsageError(f"{verb!r} is nothing that can be asked; there are {', '.join(_QUESTIONS)}")
    return _QUESTIONS[verb]


def _ask(request: Request, question: Question, about: str, back: str, status: int = 200, fault: str = "") -> Response:
    page: Response = request.app.state.page.show(
        request, "confirm.html", status=status, question=question, about=about, back=back, fault=fault
    )
    return page


def _back(job: Job) -> str:
    return run_href(job.run_id, job.store_url)


@router.get("/jobs/{number}/{verb}")
def ask_of_job(request: Request, number: int, verb: str) -> Response:
    """Whether it is meant."""
    job = request.app.state.watch.registry.job(number)
    return _ask(request, _question(verb), f"job {job.id} ({job.run_id})", _back(job))


@router.post("/jobs/{number}/{verb}")
async def do_to_job(request: Request, number: int, verb: str, _: Annotated[dict[str, str], Depends(form)]) -> Response:
    """Do it, as `seedbed stop`, `retry` and `resume` do."""
    question, registry = _question(verb), request.app.state.watch.registry
    job = await run_in_threadpool(registry.job, number)
    try:
        job = await run_in_threadpool(_JOB_ACTS[verb], registry, job)
    except (UsageError, StaleState) as error:  # it has moved on since the page was made
        return _ask(request, question, f"job {job.id} ({job.run_id})", _back(job), status=409, fault=str(error))
    if verb in (STOP, STOP_NOW) and not job.is_final:
        await _pass_on(request.app, job)
    await run_in_threadpool(request.app.state.watch.look_at_registry)
    return RedirectResponse(_back(job), 303)


async def _pass_on(app: FastAPI, job: Job) -> None:
    """Tell the job's driver through its store. One that is not watched here, or does not take it, hears of it from the
    controller, which reads the registry: nobody waits for that."""
    watch = app.state.watch
    if job.store_url not in watch.stores:
        return
    work = partial(job_requests.pass_on, watch.store(job.store_url), job, dashboard_user())
    with contextlib.suppress(StoreError):
        await app.state.reads[job.store_url].read(work, PASS_ON_PATIENCE_S)


@router.get("/runs/{run_id}/{verb}")
def ask_of_run(request: Request, of: TheRun, verb: str) -> Response:
    """Whether it is meant: of a run that `seedbed run` drives."""
    if verb not in (STOP, STOP_NOW):
        raise UsageError(f"a run has no page {verb!r}")
    return _ask(request, _question(verb), f"run {of.row.run_id}", of.row.href)


@router.post("/runs/{run_id}/{verb}")
async def do_to_run(
    request: Request,
    run_id: str,
    verb: str,
    _: Annotated[dict[str, str], Depends(form)],
    store: str | None = None,
) -> Response:
    """Leave the request where its driver looks, and write it down."""
    if verb not in (STOP, STOP_NOW):
        raise UsageError(f"a run cannot be asked to {verb!r}")
    of = find(request.app, run_id, store)
    if not of.row.is_at_it:
        fault = f"run {run_id} is {of.row.state.state}: there is nothing to stop"
        return _ask(request, _question(verb), f"run {run_id}", of.row.href, status=409, fault=fault)
    await of.read(lambda: _stop_run(of, verb))
    return RedirectResponse(of.row.href, 303)


def _stop_run(of: Subject, verb: str) -> None:
    desired = reports.STOP if verb == STOP else reports.STOP_NOW
    reports.ask(of.store, of.row.run_id, desired, dashboard_user())
    how = "at a checkpoint" if verb == STOP else "now"
    registry = of.app.state.watch.registry
    registry.event("run", of.row.run_id, reason=f"{dashboard_user()} asked to stop it {how}", actor=dashboard_user())


@router.get("/alarms/{number}/acknowledge")
def ask_of_alarm(request: Request, number: int) -> Response:
    """Whether it is meant."""
    alarm = next((one for one in request.app.state.watch.registry.alarms() if one.id == number), None)
    if alarm is None:
        raise UsageError(f"no alarm {number} stands")
    question = Question("Acknowledge", f"{alarm.subject}: {alarm.message}", "I have seen it")
    return _ask(request, question, "this alarm; it stands until what it tells of is over", "/")


@router.post("/alarms/{number}/acknowledge")
async def acknowledge(request: Request, number: int, _: Annotated[dict[str, str], Depends(form)]) -> Response:
    """Write down who has seen it."""
    await run_in_threadpool(request.app.state.watch.registry.acknowledge, number, actor=dashboard_user())
    await run_in_threadpool(request.app.state.watch.look_at_registry)
    return RedirectResponse("/", 303)
