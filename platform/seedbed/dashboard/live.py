"""Live parts of pages, as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from fastapi import Request
from fastapi.responses import StreamingResponse

from seedbed.dashboard.hub import Hub, Latest, Topic
from seedbed.dashboard.pool import Pool
from seedbed.dashboard.sessions import Sessions


def stream(
    request: Request, key: str, make: Callable[[], Topic], seen: int = 0, pool: Pool | None = None
) -> StreamingResponse:
    """The events of the topic `key` for one browser, from behind `seen` on, or behind what it has seen already.

    A topic that reads a store is looked at in the `pool` of that store.
    """
    hub: Hub = request.app.state.hub
    last = request.headers.get("last-event-id", "")
    events = hub.events(key, make, int(last) if last.isdecimal() else seen, pool)
    return StreamingResponse(
        _while_logged_in(request, events), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _while_logged_in(request: Request, events: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The events, until the session has ended: a stream was let in once, and would go on for ever."""
    sessions: Sessions = request.app.state.sessions
    async with aclosing(events):
        async for event in events:
            if not sessions.is_open(request.session):
                return
            yield event


def live_part(request: Request, key: str, render: Callable[[], str], pool: Pool | None = None) -> StreamingResponse:
    """A part of a page, whole, each time that it has changed."""
    return stream(request, key, lambda: Latest("part", render), pool=pool)
