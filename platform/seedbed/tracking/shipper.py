"""The shipper: a process of its own that sends a run to MLflow while its driver works.

`python -m seedbed.tracking.shipper STORE STATE RUN` reads one word a line from its standard input: `look` when a step
was committed, `end` when the driver has done all. The end of the input without `end` says that the driver is gone. It
may be killed at any moment; whoever ships next goes on.
"""

import contextlib
import os
import queue
import signal
import sys
import threading
import time

from dataprep.errors import SeedbedError
from seedbed import runs
from seedbed.launch import ENDING_SIGNALS
from seedbed.lease import Leases
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.destination import Refused, Unreachable
from seedbed.tracking.shipment import Shipment

LOOK, END, GONE = "look", "end", ""
SHIP_EVERY_S = 5.0  # between two batches of a training that goes on
MAX_BACK_OFF_S = 30.0  # between tries; they wait 1, 2, 4, ... seconds
LAST_TRIES = 3  # in a row that may fail once the run has ended
NICENESS = 10  # the ranks come first
LAST_BREATH_S = 1.0  # after a driver was killed, for its lease to be seen as free


class TrackingError(SeedbedError):
    """MLflow did not take what is left of a run."""


def main(argv: list[str]) -> int:
    """Ship until the driver has ended and all is sent, or until that does not come about; the exit code."""
    os.nice(NICENESS)
    for ending in ENDING_SIGNALS:
        # Schedulers send them to every process; this one has the last words to send, and ends with its driver.
        signal.signal(ending, signal.SIG_IGN)
    store, state, run_id = Store(argv[0]), StateDirectory(argv[1]), argv[2]
    commands: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    with Leases(store, state).hold(Shipment.lease_name(run_id)):
        return _ship(Shipment.of_run(store, state, run_id), commands)


def send_all(shipment: Shipment) -> None:
    """Send what is left, in this process. Raises TrackingError after some tries."""
    for number in range(LAST_TRIES):
        if number:
            time.sleep(2.0 ** (number - 1))
        error = _try_to_send(shipment, numbers_only=False)
        if error is None:
            return
    raise TrackingError(f"MLflow at {shipment.place.uri} did not take the run: {error}; {_what_is_left(shipment)}")


def _what_is_left(shipment: Shipment) -> str:
    return f"{shipment.backlog().in_words()} wait in the state directory, and nothing is lost"


def _listen(commands: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        commands.put(line.strip())
    commands.put(GONE)


def _ship(shipment: Shipment, commands: "queue.Queue[str]") -> int:
    failures, last_failures = 0, 0
    command: str | None = LOOK
    ended_at: float | None = None
    while True:
        if command in (END, GONE) and ended_at is None:
            ended_at = time.monotonic()
            if command == GONE:
                time.sleep(LAST_BREATH_S)
        error = _try_to_send(shipment, numbers_only=command is None and failures == 0)
        if error is not None:
            _log(str(error))
        failures = 0 if error is None else failures + 1
        last_failures += error is not None and ended_at is not None
        if ended_at is not None:
            too_late = time.monotonic() - ended_at > shipment.final_wait_s
            if failures == 0 or last_failures >= LAST_TRIES or too_late:
                _log(f"ended after {time.process_time():.1f} s of CPU; left: {shipment.backlog().in_words()}")
                return 0 if failures == 0 else 1
        wait_s = min(2.0 ** (failures - 1), MAX_BACK_OFF_S) if failures else SHIP_EVERY_S
        command = _next(commands, wait_s)


def _next(commands: "queue.Queue[str]", wait_s: float) -> str | None:
    """The word that came within this time, the last of several."""
    try:
        command = commands.get(timeout=wait_s)
        while command not in (END, GONE) and not commands.empty():
            command = commands.get()
        return command
    except queue.Empty:
        return None


def _try_to_send(shipment: Shipment, numbers_only: bool) -> Exception | None:
    """What went wrong, which is remembered; None where everything has arrived."""
    try:
        if shipment.has_news() if numbers_only else not shipment.is_up_to_date():
            shipment.send(numbers_only)
    except (Unreachable, Refused, SeedbedError, OSError) as error:  # the store may be out of reach too
        with contextlib.suppress(SeedbedError, OSError):  # a full disk does not take this either: try again later
            shipment.fail(error)
        return error
    return None


def _log(line: str) -> None:
    print(f"{runs.now()} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
