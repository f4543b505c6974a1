"""A stream that digests what is read through it, so that a source's digest costs no second reading."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import blake3

from dataprep.errors import MachineError


class DigestingStream(io.RawIOBase):
    """Passes reads and seeks on to `stream`; bytes that are read for the first time, in order, go into the digest.

    What `stream` raises becomes a MachineError: a reader must not take a connection that broke for a damaged file, or
    the ids of all that follows would depend on the network.
    """

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._hasher = blake3.blake3()
        self._digested = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _out_of_reach():
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        start = self._stream.tell()
        with _out_of_reach():
            data = self._stream.read(size)
        new = start + len(data) - self._digested
        if start <= self._digested and new > 0:
            self._hasher.update(data[-new:])
            self._digested += new
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> tuple[int, str]:
        """(bytes, BLAKE3 in hex) of the whole stream; what was skipped is read now."""
        self._stream.seek(self._digested)
        while self.read(1 << 20):
            pass
        return self._digested, self._hasher.hexdigest()


@contextmanager
def _out_of_reach() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise MachineError(f"the source cannot be read on: {type(error).__name__}: {error}") from error
