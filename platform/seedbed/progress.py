"""Progress for people: a moving bar on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from seedbed.artifact import Report

PLAIN_EVERY_S = 10.0

Advance = Callable[[Report | str], None]


class Progress:
    """Says what is being done, how far it is, at what rate and how long it will take."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False)

    def say(self, line: str) -> None:
        """One line, now."""
        if self._terminal:
            self._console.print(line, soft_wrap=True)
        else:
            try:
                print(line, file=self._stream, flush=True)
            except OSError:  # nobody listens any more (`| head`), or the disk behind it is full: the run goes on
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    @contextmanager
    def task(self, label: str, total: int, done: int = 0) -> Iterator[Advance]:
        """A piece of work of `total` units of which `done` were done before; call what it gives after each."""
        if total == 0:
            yield lambda _: None
        elif self._terminal:
            with self._bar(label, total, done) as advance:
                yield advance
        else:
            with self._lines(label, total, done) as advance:
                yield advance

    @contextmanager
    def _bar(self, label: str, total: int, done: int) -> Iterator[Advance]:
        columns = (
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        meter = _Meter()
        with RichProgress(*columns, console=self._console, transient=True) as bars:
            bar = bars.add_task(label, total=total, completed=done, rate="")

            def advance(what: Report | str) -> None:
                bars.update(bar, advance=1, rate=meter.rate(what))

            yield advance

    @contextmanager
    def _lines(self, label: str, total: int, done: int) -> Iterator[Advance]:
        meter = _Meter()
        said = time.monotonic()
        finished = timed_from = done
        timed_since = said
        is_first = True

        def advance(what: Report | str) -> None:
            nonlocal said, finished, timed_from, timed_since, is_first
            finished += 1
            rate, now = meter.rate(what), time.monotonic()
            if isinstance(what, str) and (is_first or not rate):
                # A training's first step holds its start; what has no rate was done before and took no time.
                is_first = False
                timed_from, timed_since = finished, now
            elif now - said >= PLAIN_EVERY_S and finished < total:
                left = (now - timed_since) / (finished - timed_from) * (total - finished)
                self.say(f"{label}: {finished} of {total}, {rate}, about {left:.0f} s left")
                said = now

        yield advance


class _Meter:
    """What was done since it was made, as a rate."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._records = 0

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def rate(self, what: Report | str) -> str:
        if isinstance(what, str):
            return what
        self._records += what.tally_in.records
        return f"{self._records / max(self.seconds(), 1e-3):,.0f} records/s"
