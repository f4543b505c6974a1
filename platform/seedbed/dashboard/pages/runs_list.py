"""All runs, in pages."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from seedbed.dashboard.live import live_part
from seedbed.dashboard.rows import run_row

PER_PAGE = 25

router = APIRouter()


@router.get("/runs")
def page(request: Request, number: int = 1, state: str = "", text: str = "") -> Response:
    """Runs whose name, id or project has `text` in it, in `state` where that is said."""
    return request.app.state.page.show(request, "runs.html", **_context(request.app, number, state, text))


@router.get("/live/runs")
def live(request: Request, number: int = 1, state: str = "", text: str = "") -> Response:
    app, key = request.app, f"runs {number} {state} {text}"
    return live_part(request, key, lambda: app.state.page.part("live/runs.html", **_context(app, number, state, text)))


def _context(app: FastAPI, number: int, state: str, text: str) -> dict[str, Any]:
    now = time.time()
    view = app.state.watch.view()
    wanted = text.casefold()
    # A run's project is that of its newest job; one that nobody submitted has none. Jobs stand newest first.
    projects = {(job.run_id, job.store_url): job.project for job in reversed(view.jobs)}
    rows = [
        run_row(view, run, now)
        for run in view.runs
        if wanted in f"{run.run_id} {projects.get((run.run_id, run.store_url), '')}".casefold()
        and state in ("", run.state)
    ]
    num_pages = max(1, -(-len(rows) // PER_PAGE))
    number = min(max(number, 1), num_pages)
    return {
        "view": view,
        "now": now,
        "rows": rows[(number - 1) * PER_PAGE : number * PER_PAGE],
        "num_rows": len(rows),
        "number": number,
        "num_pages": num_pages,
        "state": state,
        "states": sorted({run.state for run in view.runs}),
        "text": text,
    }
