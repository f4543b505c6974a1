"""Extraction in a child process: a page that crashes, hangs or eats memory takes the child with it, not the shard."""

import contextlib
import os
import pickle
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import IO, Self, cast

from dataprep.errors import MachineError
from dataprep.extraction.page import ExtractConfig, Extracted
from dataprep.reading.record import Problem

QUARANTINE_REASONS = ("extraction_failed", "extraction_crashed", "extraction_timeout")
"""Reasons that say something about the extractor or the machine, not about the page: such records are quarantined."""

START_TIMEOUT_S = 60.0
"""For a child to be ready; its imports take half a second on a free core."""


class _ChildLostError(Exception):
    """The child died or was killed while it had a page."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Child:
    """A running child and the two ends of its pipes that are ours."""

    def __init__(self, config: ExtractConfig) -> None:
        command = [sys.executable, "-P", "-m", "dataprep.extraction.child", config.model_dump_json()]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._answers.fileno(), False)
        try:
            self._answer(START_TIMEOUT_S)  # it says that it is ready: its start is no page's time
        except _ChildLostError as lost:
            self.kill()
            raise MachineError(f"the process that extracts pages did not start: {lost}") from lost

    def ask(self, request: tuple[bytes, str | None, str | None], timeout_s: float) -> Extracted:
        """The answer to one request. Raises _ChildLostError when the child dies or does not answer in time."""
        try:
            pickle.dump(request, self._requests)
            self._requests.flush()
        except BrokenPipeError:
            raise _ChildLostError("extraction_crashed", self._exit()) from None
        return self._answer(timeout_s)

    def _answer(self, timeout_s: float) -> Extracted:
        """Read one line of JSON: nothing that comes from a process that has parsed a hostile page is executed."""
        deadline = time.monotonic() + timeout_s
        received = bytearray()
        while not received.endswith(b"\n"):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._answers], [], [], remaining)[0]:
                raise _ChildLostError("extraction_timeout", f"no answer within {timeout_s:g} s")
            data = self._answers.read(1 << 20)
            if data == b"":
                raise _ChildLostError("extraction_crashed", self._exit())
            received += data or b""
        try:
            return Extracted.from_json(received)
        except (ValueError, TypeError, KeyError) as error:
            raise _ChildLostError("extraction_crashed", f"its answer is none: {error}") from error

    def _exit(self) -> str:
        code = self._process.wait(timeout=10)
        return f"the extracting process died (signal {-code})" if code < 0 else f"it ended with exit code {code}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it had not read yet
            self._requests.close()
        self._answers.close()


class IsolatedExtractor:
    """Extracts one page after another in a child that is replaced when it is lost.

    A page that fails is tried again, alone, in a fresh child: only what fails twice is reported as failed.
    """

    def __init__(self, config: ExtractConfig) -> None:
        self._config = config
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def extract(self, payload: bytes, content_type: str | None, charset: str | None) -> Extracted:
        """The text of the page, or the problem that it has: what `page.extract_page` gives.

        Raises MachineError when no child can be started.
        """
        for attempt in (1, 2):
            try:
                self._child = self._child or _Child(self._config)
                extracted = self._child.ask((payload, content_type, charset), self._config.timeout_s)
            except _ChildLostError as lost:
                self._stop()
                extracted = Extracted(problem=Problem(lost.reason, detail=str(lost)))
            if extracted.problem is None or extracted.problem.reason not in QUARANTINE_REASONS:
                return extracted
            if attempt == 1:
                self._stop()  # the second try is in a fresh process
        return extracted

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
