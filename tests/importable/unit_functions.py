"""Functions of units that go wrong, as a step's functions may. Ray's workers import them: this folder is on their path.

Each leaves a file for every try in `folder`, so that a test can count them.
"""

import os
import signal
import time
from pathlib import Path

from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError, StoreError


class OddError(Exception):
    """An error that cannot be made from its own arguments, as some libraries have them: pickle does not restore it."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} at {where}")


def _tries(unit: Unit, folder: str) -> int:
    """How many tries there were, with this one."""
    (Path(folder) / f"{unit.name}-{time.time_ns()}-{os.getpid()}").touch()
    return len(list(Path(folder).glob(f"{unit.name}-*")))


def answers(unit: Unit, folder: str, number: int = 0) -> Report:
    _tries(unit, folder)
    return Report(counts={"number": number})


def says_when(unit: Unit, folder: str) -> Report:
    """Writes down when it began and when it ended."""
    began = time.time()
    time.sleep(0.3)
    (Path(folder) / unit.name).write_text(f"{began} {time.time()}")
    return Report()


def meets(unit: Unit, folder: str, others: int) -> Report:
    """Ends when so many other units run too."""
    _tries(unit, folder)
    until = time.monotonic() + 30
    while len(list(Path(folder).iterdir())) <= others:
        if time.monotonic() > until:
            raise TimeoutError("nobody came")
        time.sleep(0.02)
    return Report(counts={"number": 1})


def looks_itself_up(unit: Unit, folder: str, shards: dict[str, int]) -> Report:
    _tries(unit, folder)
    return Report(counts={"number": shards[unit.name]})


def dies(unit: Unit, folder: str, times: int, number: int = 1) -> Report:
    if _tries(unit, folder) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return Report(counts={"number": number})


def hangs(unit: Unit, folder: str, times: int) -> Report:
    if _tries(unit, folder) <= times:
        time.sleep(3600)
    return Report(counts={"number": 1})


def misses_the_store(unit: Unit, folder: str, times: int, transient: bool) -> Report:
    if _tries(unit, folder) <= times:
        failure = StoreError("cannot read s3://bucket/x: the network is away")
        failure.transient = transient
        raise failure
    return Report(counts={"number": 1})


def loses_records(unit: Unit, folder: str) -> Report:
    _tries(unit, folder)
    raise ConservationError("clean map 00000: 2 records in, but 1 out and 0 dropped")


def breaks(unit: Unit, folder: str) -> Report:
    _tries(unit, folder)
    raise KeyError("a defect")


def breaks_oddly(unit: Unit, folder: str) -> Report:
    _tries(unit, folder)
    raise OddError("a defect", "an odd place")
