"""Stacks of ranks that hang. A signal makes the process itself write them, in C and without the interpreter's lock: a
rank that is stuck in a collective, or in any other call that never comes back, answers too.
"""

import faulthandler
import os
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jobs.pretrain.output import output_path

SIGNAL = signal.SIGUSR1
WRITING_TIMEOUT_S = 10.0  # for a process to write its stacks
SETTLED_S = 0.5  # a file that has not grown for so long is whole
NODE_TIMEOUT_S = 60.0  # for a node to start a process and answer


@dataclass(frozen=True)
class Process:
    """Where a rank lives."""

    number: int
    node_id: str
    node_address: str
    pid: int
    path: str  # on that node: where it writes its stacks

    @property
    def output_path(self) -> str:
        """On that node: what it prints."""
        return str(output_path(Path(self.path).parent, self.number))


def listen(number: int, folder: Path) -> Process:
    """From now on, SIGNAL makes this process write the stacks of all its threads into a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rank-{number:05d}.stacks"
    file = path.open("w")  # open for as long as the process lives
    faulthandler.register(SIGNAL, file=file, all_threads=True)
    node_id = ray.get_runtime_context().get_node_id()
    return Process(number, node_id, ray.util.get_node_ip_address(), os.getpid(), str(path))


def collect(processes: Sequence[Process]) -> dict[int, str]:
    """The stacks of each rank, by number; of one that cannot be asked, why."""
    by_node: dict[str, list[Process]] = defaultdict(list)
    for process in processes:
        by_node[process.node_id].append(process)
    ask = ray.remote(num_cpus=0, max_retries=0)(_ask)
    asked = {
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(there): there
        for node, there in by_node.items()
    }
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=NODE_TIMEOUT_S)
    found: dict[int, str] = {}
    for reference, there in asked.items():
        try:
            if reference in answered:
                answer: dict[int, str] = ray.get(reference)
                found |= answer
                continue
            why = f"its node did not answer within {NODE_TIMEOUT_S:.0f} s"
        except RayError as error:
            why = str(error).splitlines()[0]
        found |= {process.number: f"no stacks: {why}" for process in there}
    return found


def _ask(processes: list[Process]) -> dict[int, str]:
    """On the node of the processes."""
    for process in processes:
        try:
            os.kill(process.pid, SIGNAL)
        except ProcessLookupError:
            continue
    return {process.number: _read(Path(process.path)) for process in processes}


def _read(path: Path) -> str:
    """What a process writes at `path`, once it has stopped growing."""
    deadline = time.monotonic() + WRITING_TIMEOUT_S
    size, since = 0, time.monotonic()
    while time.monotonic() < deadline:
        found = path.stat().st_size if path.exists() else 0
        if found != size:
            size, since = found, time.monotonic()
        elif size and time.monotonic() - since > SETTLED_S:
            break
        time.sleep(0.05)
    if not size:
        return f"no stacks: the process did not write any within {WRITING_TIMEOUT_S:.0f} s (in the kernel, or dead)"
    return path.read_text(errors="replace")
