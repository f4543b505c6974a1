"""Extraction in a child process: a page that crashes, hangs or eats memory takes the child with it, not the shard."""

import contextlib
import os
import pickle
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from dataprep.extraction.page import ExtractConfig, Extracted
from dataprep.reading.record import Problem

QUARANTINE_REASONS = ("extraction_failed", "extraction_crashed", "extraction_timeout")
"""Reasons that say something about the extractor or the machine, not about the page: such records are quarantined."""


class _ChildLostError(Exception):
    """The child died or was killed while it had a page."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class IsolatedExtractor:
    """Extracts one page after another in a child that is replaced when it is lost.

    A page that fails is tried again, alone, in a fresh child: only what fails twice is reported as failed.
    """

    def __init__(self, config: ExtractConfig) -> None:
        self._config = config
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def extract(self, payload: bytes, content_type: str | None, charset: str | None) -> Extracted:
        """The text of the page, or the problem that it has: what `page.extract_page` gives."""
        for attempt in (1, 2):
            try:
                extracted = self._ask((payload, content_type, charset))
            except _ChildLostError as lost:
                self._stop()
                extracted = Extracted(problem=Problem(lost.reason, detail=str(lost)))
            if extracted.problem is None or extracted.problem.reason not in QUARANTINE_REASONS:
                return extracted
            if attempt == 1:
                self._stop()  # the second try is in a fresh process
        return extracted

    def _ask(self, request: tuple[bytes, str | None, str | None]) -> Extracted:
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "dataprep.extraction.child", self._config.model_dump_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            os.set_blocking(self._child.stdout.fileno(), False)
        try:
            pickle.dump(request, self._child.stdin)
            self._child.stdin.flush()
        except BrokenPipeError:
            raise _ChildLostError("extraction_crashed", self._exit()) from None
        return self._answer()

    def _answer(self) -> Extracted:
        """Read until a whole answer is there; a pickle ends with its STOP opcode, `.`."""
        deadline = time.monotonic() + self._config.timeout_s
        output = self._child.stdout
        received = bytearray()
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([output], [], [], remaining)[0]:
                raise _ChildLostError("extraction_timeout", f"no answer within {self._config.timeout_s:g} s")
            data = output.read(1 << 20)
            if data == b"":
                raise _ChildLostError("extraction_crashed", self._exit())
            received += data or b""
            if received.endswith(pickle.STOP):
                # A text may end with a dot in the middle of an answer: then the pickle is not whole yet.
                with contextlib.suppress(pickle.UnpicklingError, EOFError):
                    answer: Extracted = pickle.loads(received)
                    return answer

    def _exit(self) -> str:
        code = self._child.wait(timeout=10)
        return f"the extracting process died (signal {-code})" if code < 0 else f"it ended with exit code {code}"

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            with contextlib.suppress(BrokenPipeError):  # what it had not read yet
                self._child.stdin.close()
            self._child.stdout.close()
            self._child = None
