"""Sparklines of losses for the overview, which shows runs of all stores and waits for none of them."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial

from seedbed.dashboard.curves_feed import CurvesFeed
from seedbed.dashboard.drawings import sparkline
from seedbed.dashboard.page import SPARK_HEIGHT, SPARK_WIDTH
from seedbed.dashboard.store_reads import StoreReads
from seedbed.errors import StoreError
from seedbed.store import Store

MAX_RUNS = 20
"""Runs that are at it and get a line."""
WAIT_S = 0.3
"""For all lines together: those that are read by then are new, the others as they were; they come with a later look."""

Key = tuple[str, str]  # store, run id


class Sparks:
    """The line that was drawn last of each run, while a newer one is being read."""

    def __init__(self, curves: CurvesFeed, stores: Mapping[str, Store], reads: Mapping[str, StoreReads]) -> None:
        self._curves, self._stores, self._reads = curves, stores, reads
        self._lines: dict[Key, str] = {}
        self._at_work: dict[Key, Future[None]] = {}
        self._lock = threading.Lock()

    def lines(self, runs: Sequence[Key]) -> dict[Key, str]:
        """The `points` of a polyline for the first MAX_RUNS of `runs`, empty where there is none yet."""
        wanted = [key for key in runs[:MAX_RUNS] if key[0] in self._stores]
        with self._lock:
            self._lines = {key: line for key, line in self._lines.items() if key in wanted}
            begun = {key: self._at_work.get(key) or self._begin(key) for key in wanted}
            self._at_work = begun
        done, _ = wait(begun.values(), WAIT_S)
        with self._lock:
            self._at_work = {key: work for key, work in self._at_work.items() if work not in done}
            lines = dict(self._lines)
        for work in done:
            work.result()
        return lines

    def _begin(self, key: Key) -> Future[None]:
        return self._reads[key[0]].streams.submit(partial(self._draw, key))

    def _draw(self, key: Key) -> None:
        store_url, run_id = key
        try:
            points = self._curves.loss(self._stores[store_url], run_id, SPARK_WIDTH)
        except StoreError:  # the run's row says already that its store is out of reach
            return
        line = sparkline(points, SPARK_WIDTH, SPARK_HEIGHT)
        with self._lock:
            self._lines[key] = line
