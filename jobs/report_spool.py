"""What a driver has to say and the store does not have yet: files in the state directory, and how they get there.

<state>/reports/<run id>-<store>/<NNNN>/<source>.log   what a source printed in this attempt, all of it
<state>/reports/<run id>-<store>/<NNNN>/streams.json   what is sent from where, and how far the full chunks got
<state>/reports/<run id>-<store>/<NNNN>/end.json       how it ended, where the store did not take it

A file grows, and goes to the store as chunks (`seedbed.reports`). What is sent twice is the same bytes at one place:
so whoever starts the run next on this machine sends what a killed driver has left.
"""

import json
import shutil
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import blake3

from seedbed.reports import CHUNK_BYTES, attempt_path, chunk_path
from seedbed.state import StateDirectory
from seedbed.store import Store

STREAMS, END = "streams.json", "end.json"


@dataclass
class Stream:
    """A growing file, and the chunks that it becomes."""

    path: str
    folder: str  # in the store
    suffix: str
    start: int = 0  # where in the file the chunk under way begins
    number: int = 0  # of that chunk
    sent: int = 0  # bytes of it that the store has
    end: int | None = None  # where the file ends, when what is behind it is another's

    def send(self, store: Store, final: bool = False) -> bool:
        """Send what came since, in whole lines; whether a chunk was filled. `final`: also a line cut short.

        Raises StoreError, and goes on from there when called again.
        """
        filled = False
        while True:
            data = self._read()
            is_full = len(data) == CHUNK_BYTES
            whole = data.rfind(b"\n") + 1
            if (final and not is_full) or (is_full and not whole):
                whole = len(data)
            if whole > self.sent:
                store.write(chunk_path(self.folder, self.number, self.suffix), data[:whole])
                self.sent = whole
            if not is_full:
                return filled
            filled = True
            self.start, self.number, self.sent = self.start + whole, self.number + 1, 0

    def _read(self) -> bytes:
        """The bytes of the chunk under way; empty where there are none that were not sent."""
        try:
            with Path(self.path).open("rb") as f:
                size = f.seek(0, 2) if self.end is None else self.end
                if size <= self.start + self.sent:
                    return b""
                f.seek(self.start)
                return f.read(min(CHUNK_BYTES, size - self.start))
        except FileNotFoundError:  # nothing was written yet
            return b""


class ReportSpool:
    """The streams of one attempt. Several threads may use it."""

    def __init__(self, state: StateDirectory, store: Store, run_id: str, attempt: int) -> None:
        folder = state.folder(_folder(store, run_id)) / f"{attempt:04d}"
        if folder.exists():
            shutil.rmtree(folder)  # of a store that was emptied since: its attempts are counted from 1 again
        self.folder = state.folder(f"{_folder(store, run_id)}/{attempt:04d}")
        self.target = attempt_path(run_id, attempt)
        self._streams: dict[str, Stream] = {}
        self._lock = threading.Lock()

    def log(self, source: str, data: bytes) -> None:
        """Keep what a source printed. Raises OSError."""
        path = self.folder / f"{source}.log"
        with self._lock:
            if source not in self._streams:
                self._streams[source] = Stream(str(path), f"{self.target}/logs/{source}", "log")
                self._remember()
            with path.open("ab", buffering=0) as f:
                f.write(data)

    def follow(self, journal: Path) -> Stream:
        """From now on, what is written into the journal goes into the metrics, until `unfollow`. Raises OSError."""
        size = journal.stat().st_size if journal.exists() else 0
        stream = Stream(str(journal), f"{self.target}/metrics", "jsonl", start=size)
        with self._lock:
            self._streams["metrics"] = stream
            self._remember()
        return stream

    def unfollow(self, stream: Stream) -> None:
        """What is written into it from now on is another run's. Raises OSError."""
        with self._lock:
            stream.end = Path(stream.path).stat().st_size
            self._remember()

    def send(self, store: Store, final: bool = False) -> None:
        """Send what came since; one thread may be at it. Raises StoreError, OSError."""
        with self._lock:
            streams = list(self._streams.values())
        for stream in streams:
            if stream.send(store, final):
                with self._lock:
                    self._remember()

    def _remember(self) -> None:
        """What the next start needs in order to send what this one could not."""
        kept = {name: asdict(stream) | {"sent": 0} for name, stream in self._streams.items()}
        temporary = self.folder / f"{STREAMS}.incomplete"
        temporary.write_text(json.dumps(kept))
        temporary.replace(self.folder / STREAMS)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _folder(store: Store, run_id: str) -> str:
    """In the state directory. The same run in another store is another one."""
    return f"reports/{run_id}-{blake3.blake3(store.place.encode()).hexdigest()[:8]}"


def send_leftovers(store: Store, state: StateDirectory, run_id: str, but: int) -> None:
    """Send what drivers of this run have left on this machine. None of them may live. Raises StoreError, OSError."""
    for folder in sorted((state.root / _folder(store, run_id)).glob("[0-9]*")):
        if not folder.name.isdecimal() or int(folder.name) == but:
            continue
        try:
            kept = json.loads((folder / STREAMS).read_text())
            streams = [Stream(**stream) for stream in kept.values()]
        except (FileNotFoundError, ValueError, TypeError):
            streams = []  # it had nothing to say, or another version of Seedbed has said it
        for stream in streams:
            stream.send(store, final=True)
        end = folder / END
        if end.exists():
            store.write(f"{attempt_path(run_id, int(folder.name))}/end.json", end.read_bytes())
        shutil.rmtree(folder, ignore_errors=True)
