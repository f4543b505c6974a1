"""The signals that end a driver. Ctrl-C ends it at once. So does SIGTERM, except in training, where the first one asks
for a checkpoint: machines that are taken away say so with SIGTERM and leave some seconds.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seedbed.launch import ENDING_SIGNALS

GO_ON_LATER = 75  # EX_TEMPFAIL of sysexits.h: nothing that was done is lost, start it again


class EndingSignals:
    """What the driver does when it gets one. Not installed, it does nothing."""

    def __init__(self) -> None:
        self.exit_code = 128 + signal.SIGINT  # of a driver that one has ended; Ray changes that of a SystemExit
        self._is_deferring = False
        self._reason: str | None = None

    def install(self) -> None:
        for number in ENDING_SIGNALS:
            signal.signal(number, self._handle)

    @contextmanager
    def deferred(self) -> Iterator[Callable[[], str | None]]:
        """Inside, the first SIGTERM only gives a reason to stop, which the function that comes back returns."""
        self._is_deferring = True
        try:
            yield lambda: self._reason
        finally:
            self._is_deferring = False

    def _handle(self, number: int, _: object) -> None:
        is_term = number == signal.SIGTERM
        if is_term and self._is_deferring and self._reason is None:
            self._reason = "SIGTERM was received"
            return
        for ending in ENDING_SIGNALS:
            signal.signal(ending, signal.SIG_IGN)  # it takes a second: another signal would leave half of Ray behind
        if not is_term:
            raise KeyboardInterrupt
        # Units that were done stay done. In training the steps since its newest checkpoint are lost.
        self.exit_code = 128 + signal.SIGTERM if self._is_deferring else GO_ON_LATER
        raise SystemExit
