"""Cluster: its nodes and what they are at, the jobs on them, the queue with the reasons for waiting."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from seedbed.dashboard.cluster_view import cluster_views
from seedbed.dashboard.live import live_part

router = APIRouter()


@router.get("/cluster")
def page(request: Request) -> Response:
    """All clusters that the registry knows."""
    return request.app.state.page.show(request, "cluster.html", **_context(request.app))


@router.get("/live/cluster")
def live(request: Request) -> Response:
    app = request.app
    return live_part(request, "cluster", lambda: app.state.page.part("live/cluster.html", **_context(app)))


def _context(app: FastAPI) -> dict[str, Any]:
    view, now = app.state.watch.view(), time.time()
    return {"view": view, "now": now, "clusters": cluster_views(view, now)}
