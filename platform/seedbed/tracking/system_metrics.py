"""CPU, memory, disk, network and GPUs of a machine, sampled into a spool: an outage of MLflow loses nothing.

Names and units are those of MLflow's own monitor, which would stamp what it sees with the time at which it is sent.
"""

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from seedbed.tracking import journal

MEGABYTE = 1e6
_NVIDIA_SMI_TIMEOUT_S = 5.0
_GPU_FIELDS = ("utilization.gpu", "memory.used", "power.draw")
_MEBIBYTE = float(1 << 20)  # nvidia-smi's memory.used is in MiB


class Machine:
    """The machine that this process is on, and of its file systems that of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._nvidia_smi = shutil.which("nvidia-smi")
        self._network = psutil.net_io_counters()
        psutil.cpu_percent()  # each call tells of the time since the one before

    def look(self) -> dict[str, float]:
        """What is measured now, by MLflow's name without `system/`. Raises OSError and psutil.Error."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(self._folder)
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": round(memory.used / MEGABYTE, 1),
            "system_memory_usage_percentage": round(memory.used / memory.total * 100, 1),
            "disk_usage_percentage": disk.percent,
            "disk_available_megabytes": round(disk.free / MEGABYTE, 1),
        }
        network = psutil.net_io_counters()
        if network is not None and self._network is not None:
            received, sent = (
                network.bytes_recv - self._network.bytes_recv,
                network.bytes_sent - self._network.bytes_sent,
            )
            values["network_receive_megabytes"] = round(received / MEGABYTE, 3)
            values["network_transmit_megabytes"] = round(sent / MEGABYTE, 3)
        return values | dict(self._gpus())

    def _gpus(self) -> Iterator[tuple[str, float]]:
        if self._nvidia_smi is None:
            return
        question = [self._nvidia_smi, f"--query-gpu={','.join(_GPU_FIELDS)}", "--format=csv,noheader,nounits"]
        try:
            answer = subprocess.run(question, capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired):
            return
        yield from gpu_values(answer.stdout)


class SystemMonitor:
    """Samples this machine in a thread, from `start` to `stop`. A run shorter than the pause between two looks leaves
    none."""

    def __init__(self, spool: Path, every_s: float) -> None:
        self._spool, self._every_s = spool, every_s
        self._machine = Machine(spool.parent)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="system metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join(timeout=_NVIDIA_SMI_TIMEOUT_S)

    def _watch(self) -> None:
        while not self._done.wait(self._every_s):
            with contextlib.suppress(OSError, psutil.Error):  # a look that fails is left out; the run goes on
                journal.append(self._spool, sample(self._machine.look()))


def sample(values: dict[str, float], node: str | None = None) -> dict[str, Any]:
    """A line of the spool; `node` is the address of a machine that is not the driver's."""
    return {"time": time.time(), **({} if node is None else {"node": node}), **values}


def sample_values(line: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Name in MLflow and value of all that a line of the spool tells; of another machine, with its address."""
    place = f"system/{line['node']}/" if "node" in line else "system/"
    for name, value in line.items():
        if name not in ("time", "node"):
            yield f"{place}{name}", value


def gpu_values(csv: str) -> Iterator[tuple[str, float]]:
    """Name and value of what nvidia-smi said, a line for each GPU; what a GPU does not tell (`[N/A]`) is left out."""
    for number, line in enumerate(csv.strip().splitlines()):
        names = ("utilization_percentage", "memory_usage_megabytes", "power_usage_watts")
        for name, text in zip(names, line.split(","), strict=False):
            with contextlib.suppress(ValueError):
                factor = _MEBIBYTE / MEGABYTE if name.startswith("memory") else 1.0
                yield f"gpu_{number}_{name}", round(float(text) * factor, 1)


def point_step(sample: dict[str, Any], run_created_at: float) -> int:
    """Where a sample stands: whole seconds since the run was first started, the same wherever it is continued."""
    return max(int(sample["time"] - run_created_at), 0)
