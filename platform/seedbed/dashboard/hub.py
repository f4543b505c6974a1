"""The hub: what is looked at is made once, and told to everybody who looks at it.

A topic is what one page shows live. While somebody watches it, it is made anew each TICK_S in a thread, once for all
viewers; a viewer is told when it has changed, and when it cannot be made. Nobody watches: nothing is done.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from seedbed.dashboard.pool import Pool

TICK_S = 1.0
PING_S = 10.0
"""A viewer hears something this often, so that a broken connection is noticed (`static/live.js`)."""
NUM_THREADS = 8
"""For topics that read no store; those of a store have its own threads (`store_reads`)."""
LATE_AFTER_S = 15.0
"""A look that takes longer is told to the viewers as a fault, until it comes."""
LATE = f"there was no answer for {LATE_AFTER_S:g} s; it is waited for"
OLD_AFTER_S = 3.0
"""What nobody has looked at for so long is not told to who comes, before it was looked at again."""
MAX_TOPICS = 1000
FORGET_AFTER_S = 60.0
"""What nobody has looked at for so long is made anew when somebody comes."""


@dataclass(frozen=True)
class News:
    """One event for viewers."""

    name: str
    number: int  # ascends within a topic, also over a new start of the server: see `first_number`
    data: Any  # as JSON


def first_number() -> int:
    """Where a topic that is made now begins: behind whatever one of its name has said before. Milliseconds since 1970,
    as no topic has news more often."""
    return int(time.time() * 1000)


class Topic(Protocol):
    """Something that changes. `look` is called by one thread at a time, `since` by any."""

    number: int  # of the newest news; 0 before there is any

    def look(self) -> None:
        """See what is new. Whatever it raises is told to the viewers."""
        ...

    def since(self, number: int) -> list[News]:
        """What a viewer who has seen everything up to `number` has to be told."""
        ...


class Latest:
    """A topic whose newest value is all that matters: `make` gives it, None for nothing."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self._name, self._make = name, make
        self._news: News | None = None
        self.number = 0

    def look(self) -> None:
        value = self._make()
        if value is not None and (self._news is None or self._news.data != value):
            self.number = max(self.number + 1, first_number())
            self._news = News(self._name, self.number, value)

    def since(self, number: int) -> list[News]:
        return [self._news] if self._news is not None and self._news.number > number else []


class _Watched:
    def __init__(self, topic: Topic, pool: Pool) -> None:
        self.topic, self.pool = topic, pool
        self.viewers = 0
        self.left_at = time.monotonic()
        self.work: Future[None] | None = None
        self.asked_at = 0.0  # when the newest look was asked for, by the monotonic clock
        self.is_old = True  # until its first look
        self.fault: str | None = None


class Hub:
    """The topics of one process. Started and stopped with it."""

    def __init__(self) -> None:
        self._topics: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._pool = Pool("dashboard", NUM_THREADS)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._tick_on, name="dashboard-hub", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Event | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._turn = loop, asyncio.Event()
        self._thread.start()

    def stop(self) -> None:
        """Viewers' streams end."""
        self._ending.set()
        self._wake()
        self._pool.stop()

    @property
    def num_topics(self) -> int:
        return len(self._topics)

    async def events(
        self, key: str, make: Callable[[], Topic], seen: int = 0, pool: Pool | None = None
    ) -> AsyncGenerator[str, None]:
        """The stream of one viewer of the topic `key`, which `make` makes at once where it is not there. It is looked
        at in `pool`, where one is named."""
        watched = self._enter(key, make, pool)
        fault: str | None = ""  # nothing was told yet: who comes back may still show an old one
        try:
            yield _event("hello", {"at": time.time()})
            while not self._ending.is_set():
                assert self._turn is not None
                turn = self._turn
                for news in () if watched.is_old else watched.topic.since(seen):
                    seen = news.number
                    yield _event(news.name, news.data, news.number)
                if watched.fault != fault and (watched.fault is not None or not watched.is_old):
                    fault = watched.fault
                    yield _event("fault", {"message": fault, "at": time.time()})
                try:
                    await asyncio.wait_for(turn.wait(), PING_S)
                except TimeoutError:
                    yield _event("ping", {"at": time.time()})
        finally:
            with self._lock:
                watched.viewers -= 1
                watched.left_at = time.monotonic()

    def _enter(self, key: str, make: Callable[[], Topic], pool: Pool | None) -> _Watched:
        with self._lock:
            if key not in self._topics and len(self._topics) >= MAX_TOPICS:
                self._forget(0.0)
            if key not in self._topics:
                self._topics[key] = _Watched(make(), pool or self._pool)
            watched = self._topics[key]
            if watched.viewers == 0 and time.monotonic() - watched.left_at > OLD_AFTER_S:
                watched.is_old = True
            watched.viewers += 1
        self._start(watched)
        return watched

    def _forget(self, unseen_for_s: float) -> None:
        now = time.monotonic()
        for key, watched in list(self._topics.items()):
            if watched.viewers == 0 and now - watched.left_at >= unseen_for_s:
                del self._topics[key]

    def _tick_on(self) -> None:
        while not self._ending.wait(TICK_S):
            with self._lock:
                self._forget(FORGET_AFTER_S)
                watched = [one for one in self._topics.values() if one.viewers]
            for one in watched:
                self._start(one)
                self._tell_late(one)

    def _start(self, watched: _Watched) -> None:
        """Look, unless it is being looked at already: one that hangs holds up no other."""
        with self._lock:
            if self._ending.is_set() or (watched.work is not None and not watched.work.done()):
                return
            watched.asked_at = time.monotonic()
            watched.work = watched.pool.submit(partial(self._look, watched))

    def _tell_late(self, watched: _Watched) -> None:
        with self._lock:
            is_late = time.monotonic() - watched.asked_at >= LATE_AFTER_S
            if watched.work is None or watched.work.done() or not is_late or watched.fault == LATE:
                return
            watched.fault = LATE
        self._wake()

    def _look(self, watched: _Watched) -> None:
        number, fault = watched.topic.number, None
        try:
            watched.topic.look()
        except Exception as error:  # noqa: BLE001 - the page says so; the other topics go on
            fault = str(error) or type(error).__name__
        with self._lock:
            is_news = (watched.topic.number, watched.fault, watched.is_old) != (number, fault, False)
            watched.fault, watched.is_old = fault, watched.is_old and fault is not None
        if is_news:
            self._wake()

    def _wake(self) -> None:
        def turn() -> None:
            assert self._turn is not None
            self._turn.set()
            self._turn = asyncio.Event()

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(turn)


def _event(name: str, data: Any, number: int | None = None) -> str:
    """As https://html.spec.whatwg.org/multipage/server-sent-events.html has it; JSON holds no line's end."""
    lines = [f"event: {name}", f"data: {json.dumps(data)}"]
    if number is not None:
        lines.insert(0, f"id: {number}")
    return "\n".join(lines) + "\n\n"
