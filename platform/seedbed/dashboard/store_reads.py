"""Reading a store for pages and streams: in threads of that store, and no longer than a person waits.

A store that hangs (a file server that is gone, an object store that takes calls and never answers) has its own few
threads hang. Pages of other stores, and those that read none, come as ever.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from seedbed.dashboard.pool import Pool
from seedbed.errors import StoreError

PAGE_THREADS, STREAM_THREADS, CHECK_THREADS = 4, 4, 2
PATIENCE_S = 15.0
"""As long as one look at a store may take before it is called out of reach (`watch.LOST_AFTER_S`)."""
KNOWN_LOST_PATIENCE_S = 1.0
"""For a store that is out of reach already: its pages say so at once."""
CHECK_PATIENCE_S = 120.0
"""For planning a run: it lists sources, which may be many files of an object store."""

T = TypeVar("T")


class StoreReads:
    """The threads of one store: those of pages; those of streams, which take longer and whom nobody waits for; and
    those in which runs are planned and submitted, which may take minutes, so that pages do not wait behind them."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.pages = Pool(f"pages of {place}", PAGE_THREADS)
        self.streams = Pool(f"streams of {place}", STREAM_THREADS)
        self.checks = Pool(f"checks of {place}", CHECK_THREADS)

    async def read(self, work: Callable[[], T], patience_s: float = PATIENCE_S, pool: Pool | None = None) -> T:
        """What `work` gives, in a thread of `pool`, none for that of pages. Raises StoreError where it has not come in
        time; what was begun goes on, unheard."""
        future = (pool or self.pages).submit(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), patience_s)
        except TimeoutError:
            if future.done() and not future.cancelled() and isinstance(future.exception(), TimeoutError):
                raise  # the work's own
            fault = StoreError(f"the store {self.place} has not answered within {patience_s:g} s")
            fault.transient = True
            raise fault from None

    def stop(self) -> None:
        self.pages.stop()
        self.streams.stop()
        self.checks.stop()
