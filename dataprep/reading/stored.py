"""The bytes of a stored file by their place, read in large chunks."""

import re
from collections.abc import Callable
from typing import BinaryIO

_CHUNK = 1 << 20  # bytes read at once


class StoredBytes:
    """A window on a seekable stream that moves forward; going back costs a seek."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._start = 0  # of the buffer in the file

    def at(self, position: int, size: int) -> bytes:
        """`size` bytes from `position`, fewer only where the file ends."""
        offset = position - self._start
        if offset >= 0 and offset + size <= len(self._buffer):
            return self._buffer[offset : offset + size]
        kept = self._buffer[offset:] if 0 <= offset <= len(self._buffer) else b""
        self._stream.seek(position + len(kept))
        parts, missing = [kept], max(size - len(kept), _CHUNK)
        while missing > 0 and (data := self._stream.read(missing)):
            parts.append(data)
            missing -= len(data)
        self._buffer, self._start = b"".join(parts), position
        return self._buffer[:size]

    def find(self, pattern: re.Pattern[bytes], position: int, is_right: Callable[[int], bool]) -> int:
        """Where `pattern` (of at most 16 bytes) matches next and `is_right`; the file's end if nowhere."""
        while window := self.at(position, _CHUNK):
            for match in pattern.finditer(window):
                if is_right(position + match.start()):
                    return position + match.start()
            if len(window) < _CHUNK:
                return position + len(window)
            position += len(window) - 16
        return position
