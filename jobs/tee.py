"""A stream whose text somebody else gets as well, line by line."""

from collections.abc import Callable
from io import TextIOBase
from typing import TextIO


class Tee(TextIOBase):
    """Writes into `stream`, and tells `report` each whole line."""

    def __init__(self, stream: TextIO, report: Callable[[str], None]) -> None:
        self._stream, self._report = stream, report
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._report(line)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding
