"""Files of gzip, bzip2 or xz members. After damage, reading goes on at the next member that can be found."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from isal import igzip_lib

from dataprep.reading.pieces import PIECE_BYTES, Piece, between_members
from dataprep.reading.stored import StoredBytes

_INPUT = 1 << 14  # bytes fed at once, nearly all members at their first; what stands behind the member is copied
_CAREFUL_INPUT = 64  # bytes at a time where a member is damaged: what comes out before the damage is all kept
_OVERRUN = 1 << 20  # bytes; damaged deflate data may be followed into the members behind before it is seen to be wrong
_TRIAL_INPUT = 1 << 12  # bytes of a candidate that must be read without error
_XZ_MEMORY = 1 << 28  # bytes; `xz -9` takes 65 MiB


class Kind(NamedTuple):
    """A compression whose decompressor is fed and keeps its state."""

    name: str
    magic: re.Pattern[bytes]
    make: Callable[[], Any]  # with the interface of bz2.BZ2Decompressor
    make_careful: Callable[[], Any]  # the same for damaged members, which are read in small steps


class _Zlib:
    """zlib's decompressor with the interface of bz2's."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._inner.eof

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def _igzip() -> Any:
    # Twice as fast as zlib; but it takes a header that comes in two parts for damage.
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _xz() -> Any:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


_ERRORS: Any = (  # igzip_lib is not typed
    zlib.error,
    igzip_lib.IsalError,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
)
GZIP = Kind("gzip", re.compile(rb"\x1f\x8b\x08[\x00-\x1f]", re.DOTALL), _igzip, _Zlib)
BZIP2 = Kind(
    "bzip2",
    re.compile(rb"BZh[1-9](?:\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"),  # with a block, or empty
    bz2.BZ2Decompressor,
    bz2.BZ2Decompressor,
)
XZ = Kind("xz", re.compile(rb"\xfd7zXZ\x00"), _xz, _xz)


def member_pieces(stored: StoredBytes, kind: Kind, position: int) -> Iterator[Piece]:
    """The plain bytes from `position`, where a member begins; what stands between members comes raw."""
    while head := stored.at(position, _INPUT):
        if not kind.magic.match(head):
            found = _next_member(stored, kind, position)
            yield from between_members(stored, position, found)
            position = found
            continue
        position = yield from _member(stored, kind, position, head)


def _member(stored: StoredBytes, kind: Kind, start: int, head: bytes) -> Generator[Piece, None, int]:
    """Gives the pieces of the member that begins with `head`, and returns where the next one may begin."""
    decompressor = kind.make()
    fed, num_given, chunk = start + len(head), 0, head
    failure, ends_early = f"the {kind.name} data ends early", True
    try:
        while True:
            data = decompressor.decompress(chunk, PIECE_BYTES)
            is_over = decompressor.eof
            if data or is_over:
                yield Piece(data, start, num_given == 0, is_over)
                num_given += len(data)
            if is_over:
                break
            chunk = b""
            if decompressor.needs_input:
                chunk = stored.at(fed, _INPUT)
                if not chunk:
                    break
                fed += len(chunk)
    except _ERRORS as error:
        failure, ends_early = f"damaged {kind.name} data: {error}", False
        fed, is_whole = yield from _carefully(stored, kind, start, num_given)
        if is_whole:
            return fed
    else:
        if decompressor.eof:
            return fed - len(decompressor.unused_data)
    # Also where it ends early: damaged data may have been followed up to the end of the file.
    found = _next_member(stored, kind, max(start + 1, fed - _OVERRUN))
    yield Piece(b"", start, damage=failure, num_lost=found - start, ends_early=ends_early)
    return found


def _carefully(stored: StoredBytes, kind: Kind, start: int, num_given: int) -> Generator[Piece, None, tuple[int, bool]]:
    """Gives what a damaged member holds before its damage, behind the bytes that were given already.

    Returns where it failed; or the member's end, and that it is whole after all.
    """
    decompressor = kind.make_careful()
    fed, num_read = start, 0
    try:
        while not decompressor.eof:
            chunk = stored.at(fed, _CAREFUL_INPUT) if decompressor.needs_input else b""
            if not chunk and decompressor.needs_input:
                break
            fed += len(chunk)
            data = decompressor.decompress(chunk, PIECE_BYTES)
            new = data[max(num_given - num_read, 0) :]
            num_read += len(data)
            if new or decompressor.eof:
                yield Piece(new, start, num_read == len(new), decompressor.eof)
    except _ERRORS:
        return fed, False
    return fed - len(decompressor.unused_data), bool(decompressor.eof)


def _next_member(stored: StoredBytes, kind: Kind, position: int) -> int:
    """Where the next member begins that can be read a while, at or after `position`; the file's end if nowhere."""
    return stored.find(kind.magic, position, lambda at: is_readable(stored, kind, at))


def is_readable(stored: StoredBytes, kind: Kind, position: int) -> bool:
    """Whether a member can begin here: the magic alone also occurs within data."""
    try:
        kind.make().decompress(stored.at(position, _TRIAL_INPUT), PIECE_BYTES)
    except _ERRORS:
        return False
    return True
