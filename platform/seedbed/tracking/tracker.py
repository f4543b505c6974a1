"""Tracking from the driver's side: it starts the shipper, wakes it, waits for it a bounded time. It loads no MLflow.

Whatever goes wrong here is said and never raised: a run does not fail for want of its curves.
"""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import IO

from dataprep.errors import SeedbedError
from seedbed.plan import Plan
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.place import tracking_place
from seedbed.tracking.shipment import Shipment
from seedbed.tracking.shipped import system_spool
from seedbed.tracking.shipper import END, LOOK
from seedbed.tracking.system_metrics import SystemMonitor


class Tracker:
    """The tracking of one run by one driver."""

    def __init__(self, plan: Plan, store: Store, state: StateDirectory) -> None:
        self._plan, self._store, self._state = plan, store, state
        self._config = plan.run.tracking
        self._shipper: subprocess.Popen[bytes] | None = None
        self._monitor: SystemMonitor | None = None

    @property
    def _log(self) -> Path:
        return self._state.root / "logs" / f"{self._plan.run_id}.tracking.log"

    def start(self) -> list[str]:
        """Begin; what a person should know of it."""
        if not self._config.enabled:
            return []
        said = []
        place = tracking_place(self._plan, self._state)
        if not place.answers():
            said.append(
                f"tracking: nobody answers at {place.uri} (tracking.mlflow_uri): the run goes on, and what it tells "
                "waits in the state directory"
            )
        try:
            self._state.folder("logs")
            with self._log.open("ab") as out:
                self._shipper = self._start_shipper(out)
            if self._config.system_metrics_every_s is not None:
                spool = system_spool(self._state, self._plan.run_id)
                spool.parent.mkdir(parents=True, exist_ok=True)
                self._monitor = SystemMonitor(spool, self._config.system_metrics_every_s)
                self._monitor.start()
        except (OSError, SeedbedError) as error:
            said.append(f"tracking: it did not start ({error}): the run goes on; {self._later()}")
        return said

    def _start_shipper(self, out: IO[bytes]) -> "subprocess.Popen[bytes]":
        # -P: a folder `seedbed` where one stands is not ours. A session of its own: Ctrl-C is for the driver.
        command = [sys.executable, "-P", "-m", "seedbed.tracking.shipper"]
        return subprocess.Popen(
            [*command, self._store.url, str(self._state.root), self._plan.run_id],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )

    def look(self) -> None:
        """A step was committed."""
        self._tell(LOOK)

    def _tell(self, word: str) -> None:
        if self._shipper is not None and self._shipper.stdin is not None:
            with contextlib.suppress(OSError):  # it was killed: what is there is sent later
                self._shipper.stdin.write(f"{word}\n".encode())
                self._shipper.stdin.flush()

    def end(self) -> list[str]:
        """The run has ended, and its record says how. Waits at most `final_wait_s`; where to look, and what is left."""
        if not self._config.enabled:
            return []
        self._stop_monitor()
        self._tell(END)
        if self._shipper is not None:
            try:
                self._shipper.wait(self._config.final_wait_s)
            except subprocess.TimeoutExpired:
                self._shipper.kill()  # at any moment: see `seedbed.tracking.shipment`
                self._shipper.wait()
        try:
            return self._last_lines()
        except Exception as error:  # noqa: BLE001 - no run fails for want of its curves
            return [f"tracking: what became of it cannot be said ({type(error).__name__}: {error}); {self._later()}"]

    def leave(self) -> None:
        """The driver ends now, at its user's wish: the shipper sends what is there and ends by itself."""
        self._stop_monitor()
        if self._shipper is not None and self._shipper.stdin is not None:
            with contextlib.suppress(OSError):
                self._shipper.stdin.close()

    def _stop_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.stop()

    def _last_lines(self) -> list[str]:
        shipment = Shipment(self._store, self._state, self._plan)
        shipped, backlog = shipment.shipped, shipment.backlog()
        if backlog.is_empty and shipped.error is None:
            return [f"tracking: {shipment.place.where_to_look(shipped.experiment_id, shipped.run)}"]
        why = f": {shipped.error}" if shipped.error else f" in time; its log is {self._log}"
        return [
            f"tracking: MLflow at {shipment.place.uri} did not take everything{why}",
            f"  {backlog.in_words()} wait in the state directory; {self._later()}",
        ]

    def _later(self) -> str:
        return f"`seedbed track {self._plan.run_id}` sends it"
