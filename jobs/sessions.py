"""Ray's session folders: sockets and logs of each Ray that was started here. Ray itself never removes one.

A driver holds a lock on a file in its session's folder; the kernel drops it with the process, however that ends.
"""

import contextlib
import fcntl
import shutil
import time
from pathlib import Path
from typing import BinaryIO

LOCK = "seedbed.lock"
KEPT = 1  # of the dead, the newest: its logs may tell why it died
UNKNOWN_FOR_S = 24 * 3600.0  # a folder without a lock is one that is just being made, or that another program made


class Held:
    """The lock on the session of this process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def release(self) -> None:
        self._file.close()


def hold(session: Path) -> Held:
    """Mark the session as alive."""
    file = (session / LOCK).open("wb")
    fcntl.flock(file, fcntl.LOCK_SH)
    return Held(file)


def remove_dead(folder: Path) -> None:
    """Remove the sessions in `folder` whose driver is gone, all but the newest."""
    dead = sorted((path for path in folder.glob("session_2*") if path.is_dir() and _is_dead(path)), reverse=True)
    for path in dead[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def _is_dead(session: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        lock = session / LOCK
        if not lock.exists():
            return time.time() - session.stat().st_mtime > UNKNOWN_FOR_S
        with lock.open("rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
    return False
