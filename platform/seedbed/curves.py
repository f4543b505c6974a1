"""Training curves from journal lines: thinned to what a chart can show, with no spike left out. Pure.

Steps are put together by `stride`, which doubles as they get more: a point has their mean, and beside it the lowest and
the highest value. What a restart takes again replaces what was lost; where a point holds steps of both kinds, its range
is that of both.
"""

import json
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

MAX_MARKS = 500
NOT_CURVES = ("step", "time")
MARKS = ("started", "taken_up", "restart", "hang", "checkpoint_broken", "over_budget", "driver_ended", "finished")
"""Events that a chart may draw in; a checkpoint is every few steps and stands in the heartbeat."""


@dataclass(frozen=True)
class Point:
    """One value of a curve, of the steps up to `step`."""

    step: int
    value: float  # their mean
    low: float
    high: float


@dataclass(frozen=True)
class Mark:
    """Something that happened after `step`."""

    step: int
    attempt: int
    event: str
    time: float | None
    details: dict[str, Any]


@dataclass(slots=True)
class _Sum:
    step: int  # the last
    count: int
    total: float
    low: float
    high: float

    def add(self, other: "_Sum") -> None:
        self.step, self.count = max(self.step, other.step), self.count + other.count
        self.total, self.low, self.high = self.total + other.total, min(self.low, other.low), max(self.high, other.high)


@dataclass
class Curves:
    """What the lines so far add up to. `feed` them in order of attempts, and in each in order of writing."""

    max_points: int = 1000  # of each curve, at most
    stride: int = 1  # steps in a point
    num_damaged: int = 0  # lines that are none of a journal's
    last: dict[str, Any] = field(default_factory=dict)  # the newest record, whole
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=MAX_MARKS))
    _points: dict[int, dict[str, _Sum]] = field(default_factory=dict)  # number of the point -> name -> values
    _attempt: int = 0
    _from_step: int = 0  # where the newest attempt has gone on from

    def feed_line(self, attempt: int, line: bytes) -> None:
        """The same, from JSON; a line that is none, or has no step where one belongs, is counted and passed over."""
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if _is_sound(value):
            self.feed(attempt, value)
        else:
            self.num_damaged += 1

    def feed(self, attempt: int, line: dict[str, Any]) -> None:
        event = line.get("event")
        if event is None:
            if attempt >= self._attempt or line["step"] <= self._from_step:
                self._take(line)
        elif event == "restored":
            if line["record"]["step"] > self.step:  # its own attempt's words did not get here
                self._take(line["record"])
        elif event in MARKS:
            if event == "taken_up" and attempt >= self._attempt:
                self._attempt, self._from_step = attempt, line["step"]
                self._forget_after(line["step"])
            details = {key: value for key, value in line.items() if key not in ("event", "time", "cluster")}
            self.marks.append(Mark(self.step, attempt, event, line.get("time"), details))

    @property
    def step(self) -> int:
        """The newest step that counts; 0 before the first."""
        return int(self.last.get("step", 0))

    def names(self) -> list[str]:
        """Of the curves that there are."""
        return sorted({name for point in self._points.values() for name in point})

    def series(self, name: str) -> list[Point]:
        """The curve `name`, ascending by step; empty where there is none."""
        sums = (self._points[number].get(name) for number in sorted(self._points))
        return [Point(s.step, s.total / s.count, s.low, s.high) for s in sums if s is not None]

    def _take(self, record: dict[str, Any]) -> None:
        step = record["step"]
        if step >= self.step:
            self.last = record
        point = self._points.setdefault((step - 1) // self.stride, {})
        for name, value in record.items():  # a dozen a step, and steps by the hundred thousand: no objects are made
            if type(value) not in (int, float) or name in NOT_CURVES or not math.isfinite(value):
                continue
            sums = point.get(name)
            if sums is None:
                point[name] = _Sum(step, 1, float(value), value, value)
                continue
            sums.step = max(step, sums.step)
            sums.count += 1
            sums.total += value
            if value < sums.low:
                sums.low = value
            elif value > sums.high:
                sums.high = value
        while len(self._points) > self.max_points:
            self._double()

    def _double(self) -> None:
        self.stride *= 2
        merged: dict[int, dict[str, _Sum]] = {}
        for number in sorted(self._points):
            point = merged.setdefault(number // 2, {})
            for name, sums in self._points[number].items():
                _add(point, name, sums)
        self._points = merged

    def _forget_after(self, step: int) -> None:
        self._points = {number: point for number, point in self._points.items() if number * self.stride < step}
        if self.step > step:
            self.last = {"step": step}


def _is_sound(line: Any) -> bool:
    """Whether `feed` finds what it takes."""
    if not isinstance(line, dict):
        return False
    event = line.get("event")
    if event == "restored":
        return isinstance(line.get("record"), dict) and _has_step(line["record"])
    return _has_step(line) if event in (None, "taken_up") else isinstance(event, str)


def _has_step(line: dict[str, Any]) -> bool:
    return type(line.get("step")) is int and line["step"] >= 0


def _add(point: dict[str, _Sum], name: str, more: _Sum) -> None:
    if name in point:
        point[name].add(more)
    else:
        point[name] = more
