"""The driver's reporter: a thread that puts into the store how the run goes, and hears there who wants it to stop.

    driver's lines, ranks' output --> spool in the state directory --chunks--+
    the training's journal -------------------------------------------------+--> the store (`seedbed.reports`)
    progress, last record, spending --> heartbeat ---------------------------+

A store that is out of reach delays it, and loses nothing: what waits is on the disk. Whatever goes wrong here is
remembered and never raised: no run slows down or fails for want of its report.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dataprep.errors import SeedbedError
from jobs.ending import EndingSignals
from jobs.heartbeat import Training, how_far, tracked_at, work_on
from jobs.report_spool import END, ReportSpool, Stream, send_leftovers
from seedbed.launch import Launch
from seedbed.plan import Plan
from seedbed.progress import Progress
from seedbed.reports import DRIVER, STOP_NOW, rank_source, read_request, withdraw_request
from seedbed.state import StateDirectory
from seedbed.store import Store

EVERY_S, EVERY_REMOTE_S = 5.0, 10.0  # between two heartbeats: in a folder, and on an object store, where each costs
FINAL_WAIT_S = 20.0  # at the end, for a store that does not answer
FINAL_PAUSE_S = 1.0  # between two tries there, where it did answer until then
MAX_EARLY_LINES = 1000  # said before the run had a number for this attempt


@dataclass(frozen=True)
class End:
    """How an attempt ended."""

    at: float  # seconds since 1970
    exit_code: int
    state: str  # of the run's record
    failure: str | None  # a `FailureClass`; None of what did not fail
    reason: str | None
    step: str | None  # that was at it


class Reporter:
    """What one driver tells of its run. Before `begin` it keeps what is said; after `end` it is done."""

    def __init__(
        self, launch: Launch, store: Store, state: StateDirectory, signals: EndingSignals, every_s: float | None = None
    ) -> None:
        self._launch, self._store, self._state, self._signals = launch, store, state, signals
        self._every_s = every_s or (EVERY_S if store.is_local else EVERY_REMOTE_S)
        self._early: list[bytes] = []
        self._spool: ReportSpool | None = None
        self._plan: Plan | None = None
        self._progress: Progress | None = None
        self._done: list[str] = []
        self._training: Training | None = None
        self._sequence = 0
        self._attempt = 0
        self._has_leftovers = True
        self._ending = threading.Event()
        self._end: End | None = None
        self._is_told = False
        self._thread: threading.Thread | None = None
        self.fault: str | None = None  # why the last look did not get everything there
        self.ray_node: Callable[[], str | None] = lambda: None
        self.units_on: Callable[[], Sequence[str | None]] = tuple  # the node of each unit that is at work

    def begin(self, attempt: int, plan: Plan, progress: Progress) -> None:
        """The run is this driver's from now on: tell of it under this number."""
        self._attempt, self._plan, self._progress = attempt, plan, progress
        with self._kept():
            self._spool = ReportSpool(self._state, self._store, self._launch.run_id, attempt)
            for data in self._early:
                self._spool.log(DRIVER, data)
        if self._spool is not None:
            self._thread = threading.Thread(target=self._beat_on, name="reporter", daemon=True)
            self._thread.start()

    def say(self, line: str) -> None:
        """A line that the driver prints."""
        self._print(DRIVER, f"{line}\n".encode(errors="replace"))

    def print_of_rank(self, number: int, data: bytes) -> None:
        """What a rank printed."""
        self._print(rank_source(number), data)

    def _print(self, source: str, data: bytes) -> None:
        with self._kept():
            if self._spool is not None:
                self._spool.log(source, data)
            elif len(self._early) < MAX_EARLY_LINES:
                self._early.append(data)

    def step_is_done(self, kind: str) -> None:
        self._done.append(kind)

    @contextmanager
    def following(self, path: Path) -> Iterator[None]:
        """Inside, what is written into this journal is this run's training."""
        stream: Stream | None = None
        self._training = Training(path)
        with self._kept():
            if self._spool is not None:
                stream = self._spool.follow(path)
        try:
            yield
        finally:
            with self._kept():
                if stream is not None and self._spool is not None:
                    self._spool.unfollow(stream)

    def end(self, exit_code: int, state: str, failure: str | None, reason: str | None) -> str | None:
        """The driver leaves: send what there is, then how it ended. Waits at most FINAL_WAIT_S.

        What a person should know where the store did not take everything.
        """
        if self._thread is None:
            return None
        step = self._progress.snapshot().step if self._progress is not None else None
        self._end = End(time.time(), exit_code, state, failure, reason, step)
        self._ending.set()
        self._thread.join(FINAL_WAIT_S)
        assert self._spool is not None
        if self._is_told:
            self._spool.remove()
            return None
        with self._kept():
            (self._spool.folder / END).write_bytes(self._end_bytes())
        why = f" ({self.fault})" if self.fault else ""
        return (
            f"reports: the store did not take everything{why}: the rest waits in {self._spool.folder}, and the next"
            " start of this run here sends it"
        )

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """A full disk or a missing right costs a line of a log and no more."""
        try:
            yield
        except (OSError, SeedbedError) as error:
            self.fault = str(error)

    def _beat_on(self) -> None:
        while not self._ending.is_set():
            self._try_beat(is_last=False)
            with contextlib.suppress(SeedbedError):
                self._hear_requests()
            self._ending.wait(self._every_s)
        was_reached, until = self.fault is None, time.monotonic() + FINAL_WAIT_S / 2
        self._try_beat(is_last=True)
        while was_reached and not self._is_told and time.monotonic() < until:
            time.sleep(FINAL_PAUSE_S)
            self._try_beat(is_last=True)

    def _try_beat(self, is_last: bool) -> None:
        try:
            self._beat(is_last)
            self.fault = None
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            self.fault = str(error) or type(error).__name__

    def _beat(self, is_last: bool) -> None:
        """Send what came since, the logs before the heartbeat: what it tells of can be read. Raises StoreError."""
        assert self._spool is not None
        if self._training is not None:
            self._training.look()
        heartbeat = json.dumps(self._heartbeat()).encode()
        self._spool.send(self._store, is_last)
        self._store.write(f"{self._spool.target}/heartbeat.json", heartbeat)
        self._sequence += 1
        if is_last:
            self._store.write(f"{self._spool.target}/end.json", self._end_bytes())
            self._is_told = True
        if self._has_leftovers:
            send_leftovers(self._store, self._state, self._launch.run_id, but=self._attempt)
            self._has_leftovers = False

    def _end_bytes(self) -> bytes:
        assert self._end is not None
        return json.dumps(asdict(self._end)).encode()

    def _heartbeat(self) -> dict[str, Any]:
        assert self._plan is not None
        assert self._progress is not None
        me = {
            "at": time.time(),
            "sequence": self._sequence,
            "every_s": self._every_s,
            "job": self._launch.job,
            "attempt": self._launch.attempt or self._attempt,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "ray_node": self.ray_node(),
            "work_on": work_on(self.units_on(), self._training.nodes if self._training else (), self.ray_node()),
            "mlflow": tracked_at(self._plan, self._state),
        }
        return me | how_far(self._plan, self._launch.until, self._done, self._progress.snapshot(), self._training)

    def _hear_requests(self) -> None:
        """Pass on that somebody wants the run to stop. Raises StoreError."""
        request = read_request(self._store, self._launch.run_id)
        if request is None or (request.job is not None and request.job != self._launch.job):
            return
        if request.at < self._launch.at:  # it was meant for a driver before this one
            withdraw_request(self._store, self._launch.run_id)
        elif request.desired == STOP_NOW:
            self._signals.end_now(request.in_words())
        else:
            self._signals.ask(request.in_words())
