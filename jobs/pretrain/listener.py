"""The driver's end of the ranks' channels: what they say goes into the spool and to the caller, a request to stop goes
to them, and who makes no progress is noticed.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from jobs.pretrain import spool
from jobs.pretrain.channel import BEGIN, EVENT, Heard, Message
from jobs.pretrain.output import PIECE_BYTES, collect
from jobs.pretrain.stacks import Process
from jobs.pretrain.task import TrainTask
from seedbed.store import Store

RANK_0_EVERY_S = 0.2  # between two looks: at rank 0 for its metrics, at the others to see that they live
OTHERS_EVERY_S = 2.0
LAST_WORDS_TIMEOUT_S = 10.0
MAX_LAST_PIECES = 64  # of each rank's output, at its end

TAKEN_AGAIN = "taken_again"
"""The event of a step after a restart that was told before; the spool has the step itself, so it is not written."""

OnProgress = Callable[[dict[str, Any]], None]
OnOutput = Callable[[int, bytes], None]
"""Gets what rank number so-and-so has printed since."""


class Recorder:
    """Writes the spool, and tells the caller each step once."""

    def __init__(self, task: TrainTask, on_progress: OnProgress) -> None:
        self._task = task
        self._metrics = spool.metrics_path(task.state_dir, task.fingerprint)
        self._events = spool.events_path(task.state_dir, task.fingerprint)
        self._on_progress = on_progress
        self._last_step: int | None = None  # not known before a checkpoint was taken up

    def hear(self, message: Message) -> None:
        if message.kind == BEGIN:
            spool.replace(self._metrics, message.content)
            if self._last_step is not None:  # what a lost rank has kept in a checkpoint, and had no time to tell
                for record in spool.read(self._metrics):
                    self._tell(record)
        elif message.kind == EVENT:
            self._event(message.content)
        else:
            record = message.content
            spool.append(self._metrics, record)
            if self._last_step is not None and record["step"] <= self._last_step:
                self._on_progress({"event": TAKEN_AGAIN, "step": record["step"], "seconds": record["seconds"]})
            self._tell(record)

    def _tell(self, record: dict[str, Any]) -> None:
        step = record["step"]
        if self._last_step is None or step > self._last_step:  # steps taken again after a restart were told before
            self._last_step = step
            self._on_progress(record)

    def event(self, event: dict[str, Any]) -> None:
        """Something that the driver itself has to say; it gets its time here."""
        self._event({"time": time.time(), **event})

    def _event(self, event: dict[str, Any]) -> None:
        if event["event"] == "taken_up" and self._last_step is None:
            self._last_step = event["step"]  # what an earlier call told is not told again
        spool.append(self._events, event)
        self._on_progress(event)

    def records(self) -> list[dict[str, Any]]:
        """The metrics of a finished run; what the last rank to end had no time to tell comes from the store."""
        whole = Store(self._task.store_url).read(f"{self._task.artifact_path}/metrics.jsonl")
        if not self._metrics.exists() or self._metrics.read_bytes() != whole:
            spool.replace(self._metrics, whole)
        return spool.read(self._metrics)


@dataclass
class _Line:
    """The line to one rank."""

    number: int
    actor: Any
    confirmed: int = 0  # number of the last message heard
    printed: int = 0  # bytes of its output that are here
    progress: int = 0
    doing: str = "its start"
    alive_at: float | None = None  # when its progress last rose, by the listener's clock; None while it rests
    asked_at: float = 0.0
    question: Any = None  # the call that is on its way


class Listener:
    """Asks all ranks of one start of the group, never waiting for an answer."""

    def __init__(
        self,
        ranks: Sequence[Any],
        recorder: Recorder,
        clock: Callable[[], float] = time.monotonic,
        on_output: OnOutput = lambda number, data: None,
    ) -> None:
        self._lines = [_Line(number, rank) for number, rank in enumerate(ranks)]
        self._recorder = recorder
        self._on_output = on_output
        self._clock = clock

    def begins(self, number: int) -> None:
        """A rank has something to do from now on."""
        self._lines[number].alive_at = self._clock()

    def ends(self, number: int) -> None:
        """It has done it, and may rest while others are at theirs."""
        self._lines[number].alive_at = None

    def look(self, stop: str | None) -> None:
        """Take what was answered since, and ask again where it is time; `stop` is why the ranks are to stop."""
        questions = {line.question: line for line in self._lines if line.question is not None}
        if questions:
            answered, _ = ray.wait(list(questions), num_returns=len(questions), timeout=0)
            for question in answered:
                self._take(questions[question])
        now = time.monotonic()
        for number, line in enumerate(self._lines):
            every = OTHERS_EVERY_S if number else RANK_0_EVERY_S
            if line.question is None and now - line.asked_at >= every:
                line.question, line.asked_at = _ask(line, stop), now

    def last_words(self, of_all: bool) -> None:
        """What rank 0, or all of them, have not told yet, while their processes are there."""
        waiting, until = self._lines if of_all else self._lines[:1], time.monotonic() + LAST_WORDS_TIMEOUT_S
        for look in range(MAX_LAST_PIECES):
            for line in waiting:
                line.question = line.question or _ask(line, None)
            left_s = max(until - time.monotonic(), 0.0)
            questions = [line.question for line in waiting]
            answered, _ = ray.wait(questions, num_returns=len(questions), timeout=left_s)
            pieces = [(line, self._take(line)) for line in waiting if line.question in answered]
            # The first answer may have been on its way for a while, and be older than the last message.
            waiting = [line for line, num_bytes in pieces if look == 0 or num_bytes == PIECE_BYTES]
            if not waiting:
                return

    def last_output(self, processes: Sequence[Process]) -> None:
        """What ranks printed that may be gone, from their files. Their channels must not be asked any more."""
        for number, data in collect(processes, [line.printed for line in self._lines]).items():
            self._lines[number].printed += len(data)
            self._on_output(number, data)

    def idle(self) -> tuple[float, dict[int, str]]:
        """For how many seconds the one that rests longest, of those that have something to do, has made no progress,
        and what each rank is at."""
        now = self._clock()
        rests = [now - line.alive_at for line in self._lines if line.alive_at is not None]
        return max(rests, default=0.0), {n: line.doing for n, line in enumerate(self._lines)}

    def _take(self, line: _Line) -> int:
        """Hear what a line's question was answered with; how many bytes of output came with it."""
        question, line.question = line.question, None
        try:
            heard: Heard = ray.get(question)
        except RayError:
            return 0  # its process is gone: what it ran says so too
        for message in heard.messages:
            if message.number > line.confirmed:
                line.confirmed = message.number
                self._recorder.hear(message)
        if heard.progress != line.progress:
            line.progress, line.doing = heard.progress, heard.doing
            if line.alive_at is not None:
                line.alive_at = self._clock()
        if heard.output:
            line.printed += len(heard.output)
            self._on_output(line.number, heard.output)
        return len(heard.output)


def _ask(line: _Line, stop: str | None) -> Any:
    return line.actor.exchange.remote(line.confirmed, stop, line.printed)
