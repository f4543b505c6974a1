"""The metrics spool: JSON lines in the state directory, written by the driver alone with what rank 0 tells it.

Two files. `<fingerprint>.jsonl` has one line for each optimizer step of the run as it counts: a resumed run first puts
back the lines that its checkpoint carries, so no step stands twice. `<fingerprint>.events.jsonl` has what happened on
the way (a start, a restart, a broken checkpoint) and only grows. Both are copied, line by line, into the journal that
tracking reads (`seedbed.tracking.journal`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.tracking import journal


def metrics_path(state_dir: str, fingerprint: str) -> Path:
    return Path(state_dir) / "metrics" / f"{fingerprint}.jsonl"


def events_path(state_dir: str, fingerprint: str) -> Path:
    return Path(state_dir) / "metrics" / f"{fingerprint}.events.jsonl"


def line(record: dict[str, Any]) -> bytes:
    """One line of a spool, with its end."""
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def append(path: Path, record: dict[str, Any]) -> None:
    """Add one line, in one write, so that a reader sees it whole or cut short but never mixed."""
    journal.append(journal.beside(path), record)
    journal.append(path, record)


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the spool's place at once: a follower sees another file and starts over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    journal.note_restored(journal.beside(path), path.read_bytes() if path.exists() else b"", data)
    temporary = path.with_suffix(".incomplete")
    temporary.write_bytes(data)
    temporary.replace(path)


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole line."""
    return list(Follower(path).new()) if path.exists() else []


class Follower:
    """Reads what was appended since the last look."""

    def __init__(self, path: Path, from_end: bool = False) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0
        if from_end and path.exists():
            stat = path.stat()
            self._inode, self._offset = stat.st_ino, stat.st_size

    def new(self) -> Iterator[dict[str, Any]]:
        """The lines since; from the start again when the file was replaced. A line cut short waits for its end."""
        try:
            f = self._path.open("rb")
        except FileNotFoundError:
            return
        with f:
            stat = self._path.stat()
            if stat.st_ino != self._inode or stat.st_size < self._offset:
                self._inode, self._offset = stat.st_ino, 0
            f.seek(self._offset)
            whole, newline, _ = f.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for text in whole.splitlines():
            yield json.loads(text)
