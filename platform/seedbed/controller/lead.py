"""One controller of a registry works, others wait: a lead that is renewed, and taken over when its holder is dead."""

import os
import socket
from pathlib import Path

import psutil

from seedbed.registry.registry import Registry

NAME = "controller"
LEAD_S = 30.0
"""Without a renewal for so long, another controller takes over."""


class Lead:
    """This process's hold on the lead."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._holder = _holder()

    def renew(self) -> bool:
        """Whether this process leads from now on for LEAD_S."""
        if self._registry.lead(NAME, self._holder, seconds=LEAD_S):
            return True
        other = self._registry.leader(NAME)
        if other is None or not is_dead_here(other):
            return False
        # Who was killed on this machine and started again need not wait for the time to run out.
        self._registry.stop_leading(NAME, other)
        return self._registry.lead(NAME, self._holder, seconds=LEAD_S)

    def give_up(self) -> None:
        self._registry.stop_leading(NAME, self._holder)


def _holder() -> str:
    """`host/pid namespace/pid/time of its start`: enough to see on the same machine whether it lives."""
    return f"{socket.gethostname()}/{_namespace()}/{os.getpid()}/{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When the process began: on Linux in clock ticks since the boot (field 22 of `man 5 proc_pid_stat`), which stays
    as it is when the clock is set; elsewhere in seconds since 1970, with a decimal point. Raises psutil.NoSuchProcess.
    """
    if not psutil.LINUX:
        return f"{psutil.Process(pid).create_time():.2f}"
    try:
        told = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return told.rpartition(")")[2].split()[22 - 3]  # the name, field 2, may hold blanks and brackets


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not a Linux
        return ""


def is_dead_here(holder: str) -> bool:
    """Whether who leads (as `Registry.leader` tells it) was a process of this machine that is gone."""
    try:
        host, namespace, pid, started = holder.split("/")
        if (host, namespace) != (socket.gethostname(), _namespace()):
            return False
        now = _started(int(pid))
        # Who wrote it down in the other way, a Seedbed before this one, cannot be told from another.
        return now != started and ("." in now) == ("." in started)
    except psutil.NoSuchProcess:
        return True
    except (ValueError, OSError, psutil.Error):
        return False
