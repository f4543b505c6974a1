"""What ends a driver before its time: a signal, or somebody who asks for it through the store.

Ctrl-C ends it at once. So does SIGTERM, except in training, where the first one asks for a checkpoint: machines that
are taken away say so with SIGTERM and leave some seconds. Who asks through the store waits for a checkpoint, or for the
units under way, unless it is to be now.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataprep.errors import SeedbedError
from seedbed.errors import GOES_ON, RUN_AGAIN
from seedbed.launch import ENDING_SIGNALS

GO_ON_LATER = 75  # EX_TEMPFAIL of sysexits.h: nothing that was done is lost, start it again

StopRequested = Callable[[], str | None]
"""Why to stop, as a sentence's beginning (`SIGTERM was received`); None while there is no reason to."""


class Stopped(SeedbedError):
    """Somebody asked the run to stop, and it did: the same command goes on from there."""

    exit_code = GO_ON_LATER
    failure = "preempted"


def told_of_a_job(text: str, job: int | None, is_asked: bool) -> str:
    """What a driver says at its end, for those who submitted it (`job`: its number in the registry): they have typed no
    command of which the same would go on. Who asked to stop resumes it; else its controller begins the next attempt."""
    if job is None:
        return text
    goes_on = f"`seedbed resume {job}` goes on" if is_asked else "the next attempt goes on"
    return text.replace(GOES_ON, goes_on).replace(RUN_AGAIN, f"`seedbed retry {job}`")


class EndingSignals:
    """What the driver does when it gets one. Not installed, it hears of requests alone."""

    def __init__(self) -> None:
        self.exit_code = 128 + signal.SIGINT  # of a driver that one has ended; Ray changes that of a SystemExit
        self.asked: str | None = None  # who asked to stop, and why: before any signal did
        self._is_deferring = False
        self._is_terminated = False
        self._is_to_end_now = False

    def install(self) -> None:
        for number in ENDING_SIGNALS:
            signal.signal(number, self._handle)

    @contextmanager
    def deferred(self) -> Iterator[StopRequested]:
        """Inside, the first SIGTERM only gives a reason to stop, which the function that comes back returns."""
        self._is_deferring = True
        try:
            yield self._reason
        finally:
            self._is_deferring = False

    def _reason(self) -> str | None:
        return self.asked or ("SIGTERM was received" if self._is_terminated else None)

    def ask(self, reason: str) -> None:
        """Stop in order, for this reason. From any thread; after a SIGTERM it changes nothing."""
        if not self._is_terminated:
            self.asked = self.asked or reason

    def end_now(self, reason: str) -> None:
        """End as at once as a second SIGTERM does, for this reason. From any thread, where signals are listened to.

        A SIGTERM before changes nothing: Ray sends one for the same request, and it gets here first.
        """
        if not self._is_to_end_now:
            self.asked, self._is_to_end_now = reason, True
            os.kill(os.getpid(), signal.SIGTERM)

    def stop_requested(self) -> str | None:
        """Why data steps are to start nothing more; a SIGTERM ends them without asking."""
        return self.asked

    def _handle(self, number: int, _: object) -> None:
        is_term = number == signal.SIGTERM
        if is_term and self._is_deferring and not self._is_terminated and not self._is_to_end_now:
            self._is_terminated = True
            return
        for ending in ENDING_SIGNALS:
            signal.signal(ending, signal.SIG_IGN)  # it takes a second: another signal would leave half of Ray behind
        if not is_term:
            raise KeyboardInterrupt
        # Units that were done stay done. In training the steps since its newest checkpoint are lost.
        self.exit_code = 128 + signal.SIGTERM if self._is_deferring else GO_ON_LATER
        raise SystemExit
