"""Overview: clusters, what runs and waits, alarms, the latest runs and events."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from seedbed.dashboard.cluster_view import cluster_views
from seedbed.dashboard.live import live_part
from seedbed.dashboard.rows import rows_at_it, run_row
from seedbed.registry.states import JobState

LATEST = 12
EVENTS = 10

router = APIRouter()


@router.get("/")
def page(request: Request) -> Response:
    """The first page."""
    return request.app.state.page.show(request, "overview.html", **_context(request.app))


@router.get("/live/overview")
def live(request: Request) -> Response:
    app = request.app
    return live_part(request, "overview", lambda: app.state.page.part("live/overview.html", **_context(app)))


def _context(app: FastAPI) -> dict[str, Any]:
    watch, now = app.state.watch, time.time()
    view = watch.view()
    at_it = rows_at_it(view, now)
    waiting = [row for row in at_it if row.job is not None and row.job.state == JobState.QUEUED]
    running = [row for row in at_it if row not in waiting]
    latest = [run_row(view, run, now) for run in view.runs[:LATEST]]
    return {
        "view": view,
        "now": now,
        "running": running,
        "waiting": sorted(waiting, key=lambda row: (-row.job.priority, row.job.id) if row.job else (0, 0)),
        "latest": [row for row in latest if not row.is_at_it],
        "sparks": app.state.sparks.lines([(row.store_url, row.run_id) for row in running]),
        "events": view.events[:EVENTS],
        "clusters": cluster_views(view, now),
    }
