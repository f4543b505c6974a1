"""Training curves for charts: read as they come, once for all viewers, thinned to what a screen has room for."""

import json
import threading
from typing import Any

from seedbed.curves import Point
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
        self._version = 0
        self._made: tuple[int, str] | None = None

    def _look(self) -> None:
        if self._reader.look():
            self._version += 1

    def document(self, more: dict[str, Any], pretrain: str | None) -> bytes:
        with self._lock:
            if pretrain is not None:
                self._reader.set_pretrain(pretrain)
            self._look()
            if self._made is None or self._made[0] != self._version:
                self._made = self._version, json.dumps(aligned(self._reader) | {"version": self._version})
            curves = self._made[1]
        return f"{json.dumps(more)[:-1]}, {curves[1:]}".encode()  # two objects as one; the large one is made once

    def series(self, name: str) -> list[Point]:
        with self._lock:
            self._look()
            return self._reader.curves.series(name)


class CurvesFeed:
    """The curves of the runs of all stores. Methods raise StoreError."""

    def __init__(self) -> None:
        self._feeds = Kept(MAX_READERS)

    def document(self, store: Store, run_id: str, more: dict[str, Any], pretrain: str | None = None) -> bytes:
        """The curves as JSON: see `aligned`; with `more`, facts of the run that asks.

        `pretrain` is the path of the training's artifact: it has the metrics of a run that was forgotten.
        """
        return self._feed(store, run_id).document(more, pretrain)

    def loss(self, store: Store, run_id: str, max_points: int) -> list[tuple[float, float]]:
        """(step, loss), thinned to about `max_points`: for a sparkline."""
        points = self._feed(store, run_id).series("loss")
        every = max(1, -(-len(points) // max_points))
        kept = points[::-1][::every][::-1]  # the newest always
        return [(point.step, point.value) for point in kept]

    def _feed(self, store: Store, run_id: str) -> _Feed:
        found: _Feed = self._feeds.get((store.place, run_id), lambda: _Feed(store, run_id))
        return found


def aligned(reader: MetricsReader) -> dict[str, Any]:
    """`steps`, and by name `mean`, `low` and `high` of the same length, null where a curve has no point; `marks`;
    `damaged`, how many lines are left out."""
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
    more = {"marks": marks, "steps_per_point": curves.stride, "damaged": curves.num_damaged}
    return {"steps": steps, "lines": lines} | more
