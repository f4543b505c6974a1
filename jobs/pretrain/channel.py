"""What a rank tells the driver, and what it is told: the rank's end of the line between them.

    worker --record, event, begin, progress--> Channel <--exchange, an actor call-- listener, in the driver

The state directory belongs to the driver's machine: a rank never touches it. The driver asks some times a second; what
it has not confirmed is told again, so an answer that gets lost on the way costs nothing.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from jobs.pretrain import spool

RECORD, EVENT, BEGIN = "record", "event", "begin"


@dataclass(frozen=True)
class Message:
    """One thing that a rank said. `content` is a dict, and for BEGIN the bytes of the metrics up to a checkpoint."""

    number: int  # counted from 1 within a channel
    kind: str
    content: Any


@dataclass(frozen=True)
class Heard:
    """An answer of a channel."""

    messages: list[Message]  # those after the last one that was confirmed
    progress: int  # rises with every sign of life
    doing: str
    output: bytes = b""  # what the rank printed, from where the driver has it on


class Channel:
    """One rank's channel. Rank 0 alone says records and events; every rank says how it gets on.

    `heard_within_s`: so long `wait_until_heard` gives the driver; nothing where nobody asks.
    """

    def __init__(self, heard_within_s: float = 0.0) -> None:
        self._lock = threading.Condition()  # the rank's thread says, another one of its process answers
        self._heard_within_s = heard_within_s
        self._confirmed = 0
        self._messages: list[Message] = []
        self._said = 0
        self._metrics = bytearray()
        self._stop: str | None = None
        self._progress, self._doing = 0, "its start"

    def begin(self, metrics: bytes) -> None:
        """Start from a checkpoint: `metrics` are its lines, and the driver's spool is to hold them and no more."""
        with self._lock:
            self._metrics = bytearray(metrics)
            self._say(BEGIN, metrics)

    def record(self, record: dict[str, Any]) -> None:
        """The metrics of one optimizer step."""
        with self._lock:
            self._metrics += spool.line(record)
            self._say(RECORD, record)

    def event(self, event: dict[str, Any]) -> None:
        """Something that happened on the way; it gets its time here."""
        with self._lock:
            self._say(EVENT, {"time": time.time(), **event})

    def metrics(self) -> bytes:
        """The metrics of the run so far, one line a step: what a checkpoint carries."""
        with self._lock:
            return bytes(self._metrics)

    def progress(self, doing: str) -> None:
        """Begin something else (`step 7`). Who says nothing for `training.hang_timeout_s` is taken to hang."""
        with self._lock:
            self._progress, self._doing = self._progress + 1, doing

    def stop_requested(self) -> str | None:
        """Why this rank was asked to stop; ranks are asked at different moments, so they must agree on the step."""
        with self._lock:
            return self._stop

    def wait_until_heard(self) -> None:
        """Wait until the driver has all that was said: a process that is lost tells nothing any more."""
        with self._lock:
            self._lock.wait_for(lambda: self._confirmed >= self._said, self._heard_within_s)

    def exchange(self, confirmed: int, stop: str | None) -> Heard:
        """The driver's turn: it has messages up to number `confirmed`, and may ask to stop."""
        with self._lock:
            self._stop = self._stop or stop
            self._confirmed = max(self._confirmed, confirmed)
            self._lock.notify_all()
            self._messages = [message for message in self._messages if message.number > confirmed]
            return Heard(list(self._messages), self._progress, self._doing)

    def _say(self, kind: str, content: Any) -> None:
        self._said += 1
        self._progress += 1
        self._messages.append(Message(self._said, kind, content))
