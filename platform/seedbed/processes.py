"""Processes that outlive the terminal that started them, found again by a mark in their environment.

The mark is inherited by whatever they start, so that all of it can be found and ended, wherever it went in the tree of
processes. A file with a process id alone is not believed: after a reboot the id is somebody else's.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from seedbed.errors import InfrastructureError

MARK = "SEEDBED_STARTED_AS"
KILL_AFTER_S = 5.0
"""What is left of a service when its main process has ended gets SIGTERM, and this long."""

GIVE_UP_AFTER_S = 60.0
"""A process that SIGKILL has not ended by then waits for a disk or a device that does not answer."""
_POLL_S = 0.05


def start(command: Sequence[str], mark: str, environment: Mapping[str, str], log: Path) -> int:
    """Start `command` in a session of its own, with nothing but a log (mode 0600); its process id."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            command,
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",  # no folder of the user's is kept busy
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    return process.pid


def find(pid: int, mark: str) -> psutil.Process | None:
    """The living process `pid`, if it bears the mark."""
    try:
        process = psutil.Process(pid)
        return process if _bears(process, mark) else None
    except psutil.Error:
        return None


def marked(mark: str) -> list[psutil.Process]:
    """Every living process of this user that bears the mark."""
    return [process for process in psutil.process_iter() if _bears(process, mark)]


def end(mark: str, pid: int | None, grace_s: float) -> None:
    """End every process that bears the mark: the main one, `pid`, by SIGTERM with `grace_s` to end the others itself,
    then what is left. Raises InfrastructureError for what the kernel does not end."""
    main = find(pid, mark) if pid is not None else None
    if main is not None:
        _signal([main], psutil.Process.terminate)
        _wait_for_end([main], mark, grace_s)
    _signal(marked(mark), psutil.Process.terminate)
    began = time.monotonic()
    while left := marked(mark):  # again and again: what lives may have started more
        if time.monotonic() - began > GIVE_UP_AFTER_S:
            pids = ", ".join(str(process.pid) for process in left)
            raise InfrastructureError(f"processes {pids} do not end, not even by SIGKILL: see what they wait for")
        if time.monotonic() - began > KILL_AFTER_S:
            _signal(left, psutil.Process.kill)
        _wait_for_end(left, mark, 0.2)


def _wait_for_end(waited_for: Sequence[psutil.Process], mark: str, seconds: float) -> None:
    """Not psutil's own: where nobody collects orphans, as in many containers, it waits for what has ended already."""
    deadline = time.monotonic() + seconds
    while any(_bears(process, mark) for process in waited_for) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False  # gone, or another user's


def _signal(processes: Sequence[psutil.Process], send: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            send(process)
        except psutil.NoSuchProcess:
            continue
