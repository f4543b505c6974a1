"""What a contender measures and prints: one line of JSON.

It imports nothing of Seedbed: peers run it in environments of their own.
"""

import json
import resource
import time
from pathlib import Path
from typing import Any


class Meter:
    """Wall and processor seconds of a block; ended children count, so a contender waits for its own before the end."""

    def __enter__(self) -> "Meter":
        self._cpu_s = _cpu_s()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_seconds = _cpu_s() - self._cpu_s


def report(meter: Meter, *, pages: int, num_bytes: int, **more: Any) -> None:
    """Print the figures: `pages` and `num_bytes` that were worked on, peak memory of the process and of its largest
    ended child together."""
    peaks_kib = [_own_peak_kib(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    figures = {
        "pages": pages,
        "bytes": num_bytes,
        "seconds": round(meter.seconds, 4),
        "cpu_seconds": round(meter.cpu_seconds, 4),
        "peak_mib": round(sum(peaks_kib) / 1024, 1),
    }
    print(json.dumps(figures | more), flush=True)


def _own_peak_kib() -> int:
    """Since this program began: `ru_maxrss` of a process includes what it was before `exec`, a copy of its parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmHWM: peaks of memory are measured on Linux only")


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
