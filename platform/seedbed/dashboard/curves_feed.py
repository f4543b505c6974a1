"""Training curves for charts: read as they come, once for all viewers, thinned to what a screen has room for."""

import json
import threading
from typing import Any

from seedbed.dashboard.run_details import Kept
from seedbed.reports import MetricsReader
from seedbed.store import Store

MAX_POINTS = 1000
MAX_READERS = 100
"""Runs whose curves are kept: a megabyte each at most."""


class _Feed:
    def __init__(self, store: Store, run_id: str) -> None:
        self._reader = MetricsReader(store, run_id, MAX_POINTS)
        self._lock = threading.Lock()
        self.version = 0
        self._made: tuple[int, bytes] | None = None

    def look(self) -> "MetricsReader":
        with self._lock:
            if self._reader.look():
                self.version += 1
            return self._reader

    def document(self, more: dict[str, Any]) -> bytes:
        reader = self.look()
        with self._lock:
            if self._made is None or self._made[0] != self.version:
                self._made = self.version, json.dumps(more | aligned(reader) | {"version": self.version}).encode()
            return self._made[1]


class CurvesFeed:
    """The curves of the runs of all stores. Methods raise StoreError."""

    def __init__(self) -> None:
        self._feeds = Kept(MAX_READERS)

    def version(self, store: Store, run_id: str) -> int:
        """Rises when there is something new."""
        feed = self._feed(store, run_id)
        feed.look()
        return feed.version

    def document(self, store: Store, run_id: str, more: dict[str, Any]) -> bytes:
        """The curves as JSON: see `aligned`; `more` are facts of the run, the same for each call."""
        return self._feed(store, run_id).document(more)

    def loss(self, store: Store, run_id: str, max_points: int) -> list[tuple[float, float]]:
        """(step, loss), thinned to about `max_points`: for a sparkline."""
        points = self._feed(store, run_id).look().curves.series("loss")
        every = max(1, -(-len(points) // max_points))
        kept = points[::-1][::every][::-1]  # the newest always
        return [(point.step, point.value) for point in kept]

    def _feed(self, store: Store, run_id: str) -> _Feed:
        found: _Feed = self._feeds.get((store.place, run_id), lambda: _Feed(store, run_id))
        return found


def aligned(reader: MetricsReader) -> dict[str, Any]:
    """`steps`, and by name `mean`, `low` and `high` of the same length, null where a curve has no point; `marks`."""
    curves = reader.curves
    series = {name: {point.step: point for point in curves.series(name)} for name in curves.names()}
    steps = sorted({step for points in series.values() for step in points})
    lines = {}
    for name, points in series.items():
        there = [points.get(step) for step in steps]
        lines[name] = {"mean": [None if point is None else point.value for point in there]}
        if any(point is not None and point.low != point.high for point in there):
            lines[name]["low"] = [None if point is None else point.low for point in there]
            lines[name]["high"] = [None if point is None else point.high for point in there]
    marks = [{"step": mark.step, "attempt": mark.attempt, "event": mark.event} for mark in curves.marks]
    return {"steps": steps, "lines": lines, "marks": marks, "steps_per_point": curves.stride}
