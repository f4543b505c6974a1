"""Progress: for people a moving bar on a terminal and plain lines elsewhere, for programs a snapshot."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from seedbed.artifact import Report

PLAIN_EVERY_S = 10.0

Advance = Callable[[Report | str], None]


@dataclass(frozen=True)
class Snapshot:
    """How far a run is. What is not known, or not there between two pieces of work, is None."""

    step: str | None = None  # its kind
    phase: str | None = None  # of a step that has several
    done: int | None = None
    total: int | None = None
    unit: str | None = None  # what is counted
    records_per_second: float | None = None
    seconds_left: float | None = None  # of this piece of work


class Progress:
    """Says what is being done, how far it is, at what rate and how long it will take.

    `on_say` gets each line that is said, too. Another thread may ask for a snapshot.
    """

    def __init__(self, stream: TextIO | None = None, on_say: Callable[[str], None] = lambda _: None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        self._on_say = on_say
        self._step: str | None = None
        self._work: _Work | None = None

    def say(self, line: str) -> None:
        """One line, now."""
        self._on_say(line)
        if self._terminal:
            self._console.print(line, soft_wrap=True)
        else:
            try:
                print(line, file=self._stream, flush=True)
            except OSError:  # nobody listens any more (`| head`), or the disk behind it is full: the run goes on
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def begin(self, step: str) -> None:
        """From now on, this step is at it."""
        self._step, self._work = step, None

    def snapshot(self) -> Snapshot:
        work = self._work
        if work is None:
            return Snapshot(self._step)
        return Snapshot(
            self._step or work.step,
            work.phase,
            work.done,
            work.total,
            work.unit,
            work.records_per_second(),
            work.seconds_left(),
        )

    @contextmanager
    def task(
        self, step: str, total: int, done: int = 0, phase: str | None = None, unit: str = "units"
    ) -> Iterator[Advance]:
        """A piece of work of `total` units of which `done` were done before; call what it gives after each."""
        if total == 0:
            yield lambda _: None
            return
        self._work = work = _Work(step, phase, unit, total, done)
        try:
            with (self._bar if self._terminal else self._lines)(work) as advance:
                yield advance
        finally:
            self._work = None

    @contextmanager
    def _bar(self, work: "_Work") -> Iterator[Advance]:
        columns = (
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=self._console, transient=True) as bars:
            bar = bars.add_task(work.label, total=work.total, completed=work.done, rate="")

            def advance(what: Report | str) -> None:
                bars.update(bar, advance=1, rate=work.advance(what))

            yield advance

    @contextmanager
    def _lines(self, work: "_Work") -> Iterator[Advance]:
        said = time.monotonic()

        def advance(what: Report | str) -> None:
            nonlocal said
            rate, now = work.advance(what), time.monotonic()
            left = work.seconds_left()
            if left is not None and now - said >= PLAIN_EVERY_S and work.done < work.total:
                self.say(f"{work.label}: {work.done} of {work.total}, {rate}, about {left:.0f} s left")
                said = now

        yield advance


class _Work:
    """A piece of work: what was done of it, and how fast."""

    def __init__(self, step: str, phase: str | None, unit: str, total: int, done: int) -> None:
        self.step, self.phase, self.unit, self.total, self.done = step, phase, unit, total, done
        self.label = step if phase is None else f"{step} ({phase})"
        self._started = self._timed_since = self._last = time.monotonic()
        self._timed_from = done
        self._records: int | None = None
        self._is_first = True

    def advance(self, what: Report | str) -> str:
        """One more is done; the rate, for people."""
        self.done += 1
        self._last = time.monotonic()
        if isinstance(what, str):
            if self._is_first or not what:
                # A training's first step holds its start; what has no rate was done before and took no time.
                self._is_first = False
                self._timed_from, self._timed_since = self.done, self._last
            return what
        self._records = (self._records or 0) + what.tally_in.records
        return f"{self.records_per_second():,.0f} records/s"

    def records_per_second(self) -> float | None:
        """Since this piece of work began; None where records are not what it takes."""
        return None if self._records is None else self._records / max(self._last - self._started, 1e-3)

    def seconds_left(self) -> float | None:
        """At the pace so far; None before there is one."""
        timed = self.done - self._timed_from
        if timed <= 0:
            return None
        seconds = (self._last - self._timed_since) / timed * (self.total - self.done)
        return max(seconds - (time.monotonic() - self._last), 0.0)
