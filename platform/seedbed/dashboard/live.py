"""Live parts of pages, as server-sent events."""

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import StreamingResponse

from seedbed.dashboard.hub import Hub, Latest, Topic


def stream(request: Request, key: str, make: Callable[[], Topic], seen: int = 0) -> StreamingResponse:
    """The events of the topic `key` for one browser, from behind `seen` on, or behind what it has seen already."""
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    events = hub.events(key, make, int(last) if last.isdecimal() else seen)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def live_part(request: Request, key: str, render: Callable[[], str]) -> StreamingResponse:
    """A part of a page, whole, each time that it has changed."""
    return stream(request, key, lambda: Latest("part", render))
