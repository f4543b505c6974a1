"""The state directory: a local POSIX folder for locks, the metrics spool, staging and logs. Never on object storage."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seedbed.errors import StoreError


class StateDirectory:
    """Paths inside the state directory, made when first asked for."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()

    def folder(self, name: str) -> Path:
        """The folder `name`, made when it is not there. Raises StoreError when it cannot be."""
        path = self.root / name
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make {path}: {error.strerror}; take another --state") from error
        return path

    def write(self, name: str, text: str) -> Path:
        """Write the file `name` (`folder/file`) and return its path. Raises StoreError when it cannot be."""
        folder, _, file = name.rpartition("/")
        path = self.folder(folder) / file
        try:
            path.write_text(text)
        except OSError as error:
            raise StoreError(
                f"cannot write {path}: {error.strerror}; free some room or give this user the right to it, "
                "or take another --state"
            ) from error
        return path

    def is_leased(self, name: str) -> bool:
        """Whether a living process holds the lease `name`."""
        path = self.root / "locks" / f"{name}.lock"
        if not path.exists():
            return False
        with path.open("rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    @contextmanager
    def lease(self, name: str, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold `name` alone. While another process holds it, `on_wait` is told once by whom, then this one waits.

        The kernel drops the lock with its process, so nobody waits for the dead.
        """
        path = self.folder("locks") / f"{name}.lock"
        with _opened(path) as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                f.seek(0)
                on_wait(_in_words(f.read()))
                fcntl.flock(f, fcntl.LOCK_EX)
            f.seek(0)
            f.truncate()
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}
            with contextlib.suppress(OSError):  # who holds it is said as a courtesy: a full disk does not matter
                os.write(f.fileno(), json.dumps(holder).encode())
            yield


def _in_words(holder: str) -> str:
    """Who holds a lease, from what its file says: `process 12 on vm, since 12:34:58`."""
    try:
        told = json.loads(holder)
        since = time.localtime(told["since"])
        clock = "%H:%M:%S" if since[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M:%S"
        return f"process {told['pid']} on {told['host']}, since {time.strftime(clock, since)}"
    except (ValueError, KeyError, TypeError):  # not written yet, or the disk was full
        return "another process"


def _opened(path: Path) -> TextIO:
    try:
        return path.open("a+")
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror}; take another --store or --state") from error
