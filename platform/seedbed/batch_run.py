"""Carries out the runs of a batch, one after another; one that fails holds up no other."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO, Any

from dataprep.errors import SeedbedError
from seedbed import runs
from seedbed.batch import Member, Row, row_of
from seedbed.errors import BudgetPassed
from seedbed.launch import ENDING_SIGNALS, Launch, start
from seedbed.show import run_summary
from seedbed.state import StateDirectory
from seedbed.store import Store

NOT_STARTED = "not started"


class BatchRunner:
    """Starts a driver for each run and waits for it. A signal that ends the driver ends the batch."""

    def __init__(self, store: Store, state: StateDirectory, output: IO[Any] | None = None) -> None:
        self._store = store
        self._state = state
        self._output = output  # of the drivers; None: this process's own
        self._driver: subprocess.Popen[bytes] | None = None
        self._signal: int | None = None
        self.exit_code = 0

    def carry_out(
        self,
        run_file: str,
        members: Sequence[Member],
        until: str | None,
        over_budget: str | None,
        say: Callable[[str], None],
    ) -> list[Row]:
        """A row for each run. `exit_code` is 0 where none failed, 1 where some did, a driver's where a signal came."""
        rows: list[Row] = []
        before = {number: signal.signal(number, self._pass_on) for number in ENDING_SIGNALS}
        try:
            for number, member in enumerate(members, 1):
                if self._signal is not None:
                    rows.append(Row(member.value, member.name, None, NOT_STARTED, None, 0.0))
                    continue
                say(f"[{number} of {len(members)}] {member.name}: {member.value}")
                rows.append(self._one(run_file, member, until, over_budget))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._signal is None:
            self.exit_code = 1 if any(row.is_failure for row in rows) else 0
        return rows

    def _one(self, run_file: str, member: Member, until: str | None, over_budget: str | None) -> Row:
        begun = time.monotonic()
        try:
            command = start(self._store, self._state, run_file, member.overrides, until, over_budget)
            run_id = Launch.read(command[-1]).run_id
            code = self._drive(command)
            record, plan = runs.load(self._store, run_id), runs.load_plan(self._store, run_id)
        except SeedbedError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return Row(member.value, member.name, None, runs.FAILED, str(error), time.monotonic() - begun)
        if self._signal is not None:
            self.exit_code = code
        if record is None or record.state in (runs.PLANNED, runs.RUNNING):
            silence = f"its driver ended with exit code {code} before it said how"
            return Row(member.value, member.name, run_id, runs.FAILED, silence, time.monotonic() - begun)
        row = row_of(member, run_summary(self._store, self._state, record, plan), time.monotonic() - begun)
        if code == BudgetPassed.exit_code:  # stopped, but not because anybody asked for it
            return Row(**(vars(row) | {"state": runs.FAILED}))
        return row

    def _drive(self, command: list[str]) -> int:
        # Signals wait until the driver listens; it lets them through itself.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
        try:
            with subprocess.Popen(command, stdout=self._output) as driver:
                self._driver = driver
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
                return driver.wait()
        finally:
            self._driver = None
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        driver = self._driver
        if driver is not None and driver.poll() is None:
            driver.send_signal(number)  # at a terminal it has it already: a second one changes nothing
        elif driver is None:
            self.exit_code = 128 + number
