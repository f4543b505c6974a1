"""What a driver tells of its run while it goes: where it stands in the store, and how it is read.

runs/<run id>/request.json                        somebody wants the run to stop
runs/<run id>/attempts/<NNNN>/heartbeat.json      how far it is, whole, every few seconds
runs/<run id>/attempts/<NNNN>/logs/<source>/<NNNNNN>.log    what the driver and each rank print
runs/<run id>/attempts/<NNNN>/metrics/<NNNNNN>.jsonl        the training's journal (`seedbed.tracking.journal`)
runs/<run id>/attempts/<NNNN>/end.json            how it ended, written last

The number of an attempt is its place in `attempts` of the run's record, from 1. A chunk grows until it has CHUNK_BYTES,
and then the next one begins; each time it is written whole and ends with a line's end, so whoever reads it has whole
lines. `jobs.reporter` writes, everybody else reads. What is not there yet is None or empty, never an error.
"""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from seedbed.curves import Curves
from seedbed.store import Store

CHUNK_BYTES = 256 << 10
DRIVER = "driver"
"""The source of what the driver prints; a rank's is `rank-00000`."""

STOP, STOP_NOW = "stop", "stop_now"


def rank_source(number: int) -> str:
    return f"rank-{number:05d}"


def attempt_path(run_id: str, attempt: int) -> str:
    return f"runs/{run_id}/attempts/{attempt:04d}"


def chunk_path(folder: str, number: int, suffix: str) -> str:
    return f"{folder}/{number:06d}.{suffix}"


def attempts(store: Store, run_id: str) -> list[int]:
    """Numbers of the attempts that have reported, ascending."""
    return [int(name) for name in store.names(f"runs/{run_id}/attempts") if name.isdecimal()]


def latest_attempt(store: Store, run_id: str) -> int | None:
    return max(attempts(store, run_id), default=None)


def find_attempt(store: Store, run_id: str, job: int, attempt: int) -> int | None:
    """The attempt of the run that is attempt number `attempt` of the registry's job; None while it has not reported."""
    for number in reversed(attempts(store, run_id)):
        told = read_heartbeat(store, run_id, number) or {}
        if (told.get("job"), told.get("attempt")) == (job, attempt):
            return number
    return None


def read_heartbeat(store: Store, run_id: str, attempt: int) -> dict[str, Any] | None:
    """The last word of the attempt: see `jobs.reporter.Reporter` for its keys."""
    return _read_json(store, f"{attempt_path(run_id, attempt)}/heartbeat.json")


def read_end(store: Store, run_id: str, attempt: int) -> dict[str, Any] | None:
    """How the attempt ended: `at`, `exit_code`, `state` (of the run's record), `failure`, `reason`, `step`."""
    return _read_json(store, f"{attempt_path(run_id, attempt)}/end.json")


def _read_json(store: Store, path: str) -> dict[str, Any] | None:
    found = store.read_if_there(path)
    if found is None:
        return None
    try:
        value = json.loads(found)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Request:
    """Somebody wants the run to stop. What was asked before a driver was sent off is not meant for it."""

    desired: str  # STOP: at a checkpoint, or between two units; STOP_NOW: at once, what was done stays done
    at: float  # seconds since 1970
    by: str
    reason: str | None = None
    job: int | None = None  # for its driver alone; None: for whoever is at the run

    def in_words(self) -> str:
        """The beginning of a sentence."""
        at_once = " at once" if self.desired == STOP_NOW else ""
        return f"{self.by} asked to stop{at_once}" + (f" ({self.reason})" if self.reason else "")


def _request_path(run_id: str) -> str:
    return f"runs/{run_id}/request.json"


def ask(store: Store, run_id: str, desired: str, by: str, reason: str | None = None, job: int | None = None) -> None:
    """Ask the driver that is at the run to stop: it hears of it with its next heartbeat. Raises StoreError."""
    store.write(_request_path(run_id), json.dumps(asdict(Request(desired, time.time(), by, reason, job))).encode())


def read_request(store: Store, run_id: str) -> Request | None:
    found = _read_json(store, _request_path(run_id))
    try:
        return None if found is None else Request(**found)
    except TypeError:
        return None


def withdraw_request(store: Store, run_id: str) -> None:
    store.delete(_request_path(run_id))


@dataclass
class LogReader:
    """Follows what was printed in one attempt, never holding more than a chunk of it.

    `position` says how far each source was read, as JSON: another reader goes on from there.
    """

    store: Store
    run_id: str
    attempt: int
    source: str | None = None  # None: all
    position: dict[str, tuple[int, int]] = field(default_factory=dict)  # source -> number of the chunk, bytes of it

    def new(self, max_bytes: int = 1 << 20) -> list[tuple[str, str]]:
        """(source, text) of what came since, the driver first; about `max_bytes` of it, and the rest the next time.

        Raises StoreError. Text of one source is in order; between sources there is none, but that of the calls.
        """
        found: list[tuple[str, str]] = []
        for source in self.sources():
            for number, num_bytes in self._chunks(source):
                at, seen = self.position.get(source, (0, 0))
                if number < at or (number == at and num_bytes <= seen):
                    continue
                start = seen if number == at else 0
                data = self.store.read(chunk_path(self._folder(source), number, "log"))[start:]
                self.position[source] = (number, start + len(data))
                found.append((source, data.decode(errors="replace")))
                max_bytes -= len(data)
                if max_bytes <= 0:
                    return found
        return found

    def skip_to_end(self, num_bytes: int) -> None:
        """Go on behind all but the last `num_bytes` (or somewhat less) of each source, at a line's beginning."""
        for source in self.sources():
            left = num_bytes
            for number, size in reversed(self._chunks(source)):
                self.position[source] = (number, 0)
                if size >= left:
                    data = self.store.read(chunk_path(self._folder(source), number, "log"))
                    start = len(data) - left
                    self.position[source] = (number, data.find(b"\n", start - 1) + 1 if start > 0 else 0)
                    break
                left -= size

    def sources(self) -> list[str]:
        """Who has printed something, the driver first."""
        if self.source is not None:
            return [self.source]
        return self.store.names(f"{attempt_path(self.run_id, self.attempt)}/logs")

    def _folder(self, source: str) -> str:
        return f"{attempt_path(self.run_id, self.attempt)}/logs/{source}"

    def _chunks(self, source: str) -> list[tuple[int, int]]:
        return _chunks(self.store, self._folder(source))


def _chunks(store: Store, folder: str) -> list[tuple[int, int]]:
    """(number, bytes) of each chunk in the folder, ascending."""
    sizes = {path.rpartition("/")[2].partition(".")[0]: size for path, size in store.files(folder).items()}
    return sorted((int(name), size) for name, size in sizes.items() if name.isdecimal())


class MetricsReader:
    """The training curves of a run, from all of its attempts, read as they come.

    `pretrain` is the path of the training's artifact: where another run has trained it, its metrics are taken.
    """

    def __init__(self, store: Store, run_id: str, max_points: int = 1000, pretrain: str | None = None) -> None:
        self._store, self._run_id, self._pretrain = store, run_id, pretrain
        self._seen: dict[int, tuple[int, int]] = {}  # attempt -> number of the chunk, bytes of it
        self._closed: set[int] = set()  # attempts that have ended and were read to their end
        self.curves = Curves(max_points)

    def set_pretrain(self, pretrain: str) -> None:
        """For a reader that was made without it."""
        self._pretrain = pretrain

    def look(self) -> bool:
        """Take in what came since; whether there was something. Raises StoreError.

        The first look reads all there is: some 50,000 steps of twelve metrics in a second.
        """
        numbers = [number for number in attempts(self._store, self._run_id) if number not in self._closed]
        # Asked before they are read, as the end is written last.
        ended = {number for number in numbers[:-1] if read_end(self._store, self._run_id, number) is not None}
        news = [self._read(number) for number in numbers]
        self._closed |= ended
        if not self.curves.step and self._pretrain is not None:
            for line in (self._store.read_if_there(f"{self._pretrain}/metrics.jsonl") or b"").splitlines():
                self.curves.feed_line(0, line)
            return self.curves.step > 0
        return any(news)

    def _read(self, attempt: int) -> bool:
        folder = f"{attempt_path(self._run_id, attempt)}/metrics"
        before = self._seen.get(attempt, (0, 0))
        for number, size in _chunks(self._store, folder):
            at, seen = self._seen.get(attempt, (0, 0))
            if number < at or (number == at and size <= seen):
                continue
            data = self._store.read(chunk_path(folder, number, "jsonl"))
            for line in data[seen if number == at else 0 :].splitlines():
                self.curves.feed_line(attempt, line)
            self._seen[attempt] = (number, len(data))
        return self._seen.get(attempt, (0, 0)) != before
