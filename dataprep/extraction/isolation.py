"""Extraction in a child process: a page that crashes, hangs or eats memory takes the child with it, not the shard."""

import contextlib
import fcntl
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self, cast

from dataprep.errors import MachineError
from dataprep.extraction.answers import AnswerReader
from dataprep.extraction.engines.registry import ENGINES
from dataprep.extraction.page import ExtractConfig, Extracted
from dataprep.reading.record import Problem

QUARANTINE_REASONS = ("extraction_failed", "extraction_crashed", "extraction_timeout")
"""Reasons that say something about the extractor or the machine, not about the page: such records are quarantined."""

Page = tuple[bytes, str | None, str | None]
"""(payload, content type, charset), as declared."""

START_TIMEOUT_S = 60.0
"""For a child to be ready; its imports take half a second on a free core."""

PATIENCE = 4.0
"""Wall seconds that a page may take for each second of processor time that it may take: machines are loaded, too."""

_PIPE_BYTES = 1 << 20  # the most that Linux gives to who is not root: fewer turns between the two processes


class _ChildLostError(Exception):
    """The child died or was killed while it had pages."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Child:
    """A running child and the two ends of its pipes that are ours."""

    def __init__(self, config: ExtractConfig) -> None:
        command = [sys.executable, "-P", "-m", "dataprep.extraction.child", config.model_dump_json()]
        self._timeout_s = config.timeout_s
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._answers.fileno(), False)
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # a user may have used up all that may be had; it works with less
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            self._answer(START_TIMEOUT_S)  # it says that it is ready: its start is no page's time
        except _ChildLostError as lost:
            self.kill()
            raise MachineError(f"the process that extracts pages did not start: {lost}") from lost

    def ask(self, pages: Sequence[Page]) -> list[Extracted]:
        """The answers, page by page. Raises _ChildLostError when the child dies, or one page takes too long."""
        try:
            pickle.dump(pages, self._requests, protocol=5)
            self._requests.flush()
        except BrokenPipeError:
            raise self._lost() from None
        answers = self._answer(PATIENCE * self._timeout_s * len(pages))
        if len(answers) != len(pages):
            raise _ChildLostError("extraction_crashed", f"{len(answers)} answers for {len(pages)} pages")
        return answers

    def _answer(self, timeout_s: float) -> list[Extracted]:
        deadline = time.monotonic() + timeout_s
        reader = AnswerReader()
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._answers], [], [], remaining)[0]:
                raise _ChildLostError("extraction_timeout", f"no answer within {timeout_s:g} s of wall time")
            data = self._answers.read(1 << 20)
            if data == b"":
                raise self._lost()
            try:
                answers = reader.feed(data or b"")
            except (ValueError, TypeError, KeyError) as error:
                raise _ChildLostError("extraction_crashed", f"its answer is none: {error}") from error
            if answers is not None:
                return answers

    def _lost(self) -> _ChildLostError:
        code = self._process.wait(timeout=10)
        if code == -signal.SIGPROF:
            return _ChildLostError("extraction_timeout", f"it took more than {self._timeout_s:g} s of processor time")
        died = f"the extracting process died (signal {-code})" if code < 0 else f"it ended with exit code {code}"
        return _ChildLostError("extraction_crashed", died)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it had not read yet
            self._requests.close()
        self._answers.close()


_idle: dict[str, _Child] = {}
"""A child of each configuration that waits for the next shard of this process. It ends when its standard input does,
so with this process."""


def end_idle_children() -> None:
    """Ends the children that wait for another shard, for whoever measures or counts processes."""
    while _idle:
        _idle.popitem()[1].kill()


class IsolatedExtractor:
    """Extracts pages in a child that is replaced when it is lost.

    A page that fails is tried again, alone, in a fresh child: only what fails twice is reported as failed. So an answer
    does not depend on the pages that a page was sent with.
    """

    def __init__(self, config: ExtractConfig) -> None:
        """Raises EngineMissingError: an engine that is not there says nothing about the pages."""
        ENGINES[config.engine].software()
        self._config = config
        self._key = config.model_dump_json()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is None:
            return
        if error is None and self._key not in _idle:
            _idle[self._key] = self._child
            self._child = None
        else:
            self._stop()

    def extract(self, pages: Sequence[Page]) -> list[Extracted]:
        """For each page its text, or the problem that it has: what `page.extract_page` gives.

        Raises MachineError when no child can be started.
        """
        try:
            answers = self._ready().ask(pages)
        except _ChildLostError:
            self._stop()  # one of them did it; alone, each shows whether it was that one
            return [self._extract_alone(page) for page in pages]
        return [self._again(page, answer) for page, answer in zip(pages, answers, strict=True)]

    def _extract_alone(self, page: Page) -> Extracted:
        return self._again(page, self._ask_alone(page))

    def _again(self, page: Page, answer: Extracted) -> Extracted:
        """The answer, if it is one; else that of a second try, in a fresh process."""
        if answer.problem is None or answer.problem.reason not in QUARANTINE_REASONS:
            return answer
        self._stop()
        return self._ask_alone(page)

    def _ask_alone(self, page: Page) -> Extracted:
        try:
            (answer,) = self._ready().ask([page])
        except _ChildLostError as lost:
            self._stop()
            return Extracted(problem=Problem(lost.reason, detail=str(lost)))
        return answer

    def _ready(self) -> _Child:
        if self._child is None:
            waiting = _idle.pop(self._key, None)
            self._child = waiting if waiting is not None and waiting.is_running else _Child(self._config)
        return self._child

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
