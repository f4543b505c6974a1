"""What a rank prints, at the level of file descriptors: Python, C++ and libraries alike.

    rank's descriptors 1 and 2 -> a file of its node -> pieces in the answers of its channel -> the driver

A file needs no thread to be emptied, and has what a process said before it was killed: the driver then has it read by
another process of that node. What was handed over goes to Ray's own log of the process as well.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

PIECE_BYTES = 64 << 10
MAX_LEFT_BYTES = 4 << 20  # that are read of a rank that is gone: the end of what it said
NODE_TIMEOUT_S = 15.0  # for a node to start a process and answer


class Printer(Protocol):
    """Who prints where: `jobs.pretrain.stacks.Process`."""

    @property
    def number(self) -> int: ...

    @property
    def node_id(self) -> str: ...

    @property
    def output_path(self) -> str: ...


def output_path(folder: Path, number: int) -> Path:
    """The file of rank `number`."""
    return folder / f"rank-{number:05d}.log"


class Output:
    """From now on, all that this process prints goes into a file in `folder`."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._before = os.dup(1)  # where Ray has led it
        self._handed_on = 0
        self._file = os.open(output_path(folder, number), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
            stream.flush()
            os.dup2(self._file, descriptor)

    def piece(self, offset: int) -> bytes:
        """Some of what was printed from byte `offset` on; empty where nothing was."""
        data = os.pread(self._file, PIECE_BYTES, offset)
        if offset + len(data) > self._handed_on:  # told again, when an answer got lost, it is not written again
            os.write(self._before, data[self._handed_on - offset :])
            self._handed_on = offset + len(data)
        return data


def collect(printers: Sequence[Printer], printed: Sequence[int]) -> dict[int, bytes]:
    """What each rank printed beyond its `printed` bytes, by number, read from the files of their nodes.

    A node that is gone, or does not answer, leaves its ranks out.
    """
    here = ray.get_runtime_context().get_node_id()
    found: dict[int, bytes] = {}
    elsewhere: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for printer in printers:
        wanted = (printer.number, printer.output_path, printed[printer.number])
        if printer.node_id == here:
            found |= read_rest([wanted])
        else:
            elsewhere[printer.node_id].append(wanted)
    read = ray.remote(num_cpus=0, max_retries=0)(read_rest)
    asked = [
        read.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(wanted)
        for node, wanted in elsewhere.items()
    ]
    answered, _ = ray.wait(asked, num_returns=len(asked), timeout=NODE_TIMEOUT_S) if asked else ([], [])
    for reference in answered:
        try:
            answer: dict[int, bytes] = ray.get(reference)
        except RayError:
            continue
        found |= answer
    return {number: data for number, data in found.items() if data}


def read_rest(wanted: Sequence[tuple[int, str, int]]) -> dict[int, bytes]:
    """On the node of the files: (number, path, offset) -> number -> the bytes from there on."""
    found = {}
    for number, path, offset in wanted:
        try:
            with Path(path).open("rb") as f:
                f.seek(max(offset, f.seek(0, os.SEEK_END) - MAX_LEFT_BYTES))
                found[number] = f.read()
        except FileNotFoundError:  # it ended in order and has cleaned up: nothing is left to tell
            continue
    return found
