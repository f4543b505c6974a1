"""Records within plain bytes: header, length, block, and where they are again after damage. For WARC and ARC.

What a header claims is believed only as far as the bytes agree: a block that reaches over the beginning of another
record, and does not end where a record ends, is cut there.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dataprep.reading.plain_buffer import PlainBuffer

MAX_HEADER_BYTES = 1 << 16
_MAX_RETURNS = (
    16  # in a file; after them a length over the limit is no longer believed, so no file is read again for ever
)
_MIN_DROPPED = 1 << 20  # bytes read that are let go of at once, so that each byte is copied once or twice
_OVERLAP = 1 << 13  # bytes of a search that are looked at again with what follows: a start may stand across


class Header(NamedTuple):
    """What leads a record: `fields` by name in lower case."""

    fields: dict[str, str]
    length: int | None  # bytes of the block; None where it is not said
    size: int  # bytes of the header itself


INCOMPLETE = Header({}, None, 0)
"""More bytes are needed to know where the header ends."""


class Dialect(NamedTuple):
    """How records of one format look."""

    start: re.Pattern[bytes]  # of a header, wherever it stands
    parse: Callable[[bytes, int, bool], Header | None]  # (data, position, no more is coming); None: no header is here


class Framed(NamedTuple):
    """A record, whole (`data[start:end]` is its block), or what is wrong with it."""

    number: int
    offset: int  # where in the stored file a reader may start again
    header: Header | None  # None: no record, but bytes that belong to none
    data: bytes = b""
    start: int = 0
    end: int = 0
    num_missing: int = 0  # of the block; where the header said no length, 0
    num_bytes: int = 0  # of the block that is there; of bytes that belong to no record, how many
    is_whole: bool = True
    is_held: bool = True  # False: whole, but over the limit, and not kept
    damage: str | None = None


def frame(buffer: PlainBuffer, dialect: Dialect, max_block_bytes: int) -> Iterator[Framed]:
    """Every record of the file and every stretch that belongs to none, numbered from 0, in order."""
    return _Framer(buffer, dialect, max_block_bytes).run()


class _Framer:
    def __init__(self, buffer: PlainBuffer, dialect: Dialect, max_block_bytes: int) -> None:
        self._buffer = buffer
        self._dialect = dialect
        self._limit = max_block_bytes
        self._number = 0
        self._position = 0  # in the buffer's data
        self._returns = 0

    def run(self) -> Iterator[Framed]:
        buffer = self._buffer
        is_told = False  # whether the damage that breaks the bytes off stands in a record's row
        while True:
            self._pass_line_ends()
            if self._position < len(buffer.data):
                framed = self._record()
                yield framed
                is_told = framed.damage is not None and self._position >= len(buffer.data)
                continue
            if buffer.damage is not None and not is_told:
                damage = buffer.damage
                yield self._next(Framed(0, damage.offset, None, num_bytes=damage.num_lost, damage=damage.damage))
            is_told = False
            self._position = 0
            if not buffer.go_on():
                return

    def _next(self, framed: Framed) -> Framed:
        self._number += 1
        return framed._replace(number=self._number - 1)

    def _pass_line_ends(self) -> None:
        buffer = self._buffer
        while True:
            data, position = buffer.data, self._position
            if data.startswith(b"\r\n\r\n", position):  # what ends most records
                position += 4
            while position < len(data) and data[position] in b"\r\n":
                position += 1
            self._position = position
            if position < len(data):
                return
            buffer.drop(position)
            self._position = 0
            if not buffer.more():
                return

    def _record(self) -> Framed:
        """The record at the position, or the bytes up to the next one. Moves behind it."""
        buffer = self._buffer
        if self._position >= _MIN_DROPPED and 2 * self._position >= len(buffer.data):
            buffer.drop(self._position)
            self._position = 0
        header = self._dialect.parse(buffer.data, self._position, False)
        while header is INCOMPLETE:
            is_all = len(buffer.data) - self._position > MAX_HEADER_BYTES or not buffer.more()
            header = self._dialect.parse(buffer.data, self._position, is_all)
        if header is None:
            return self._stretch()
        if header.length is None:
            return self._without_length(header)
        return self._held(header, header.length) if header.length <= self._limit else self._passed(header)

    def _stretch(self) -> Framed:
        """Bytes that belong to no record, up to where one begins or to a break."""
        buffer = self._buffer
        offset = buffer.offset_at(self._position)
        num_bytes = self._pass_to_start(self._position + 1) + 1
        damage, num_lost = None, 0
        if self._position >= len(buffer.data) and buffer.damage is not None:
            damage, num_lost = buffer.damage.damage, buffer.damage.num_lost
        detail = damage or "no record is here"
        return self._next(Framed(0, offset, None, num_bytes=num_lost or num_bytes, damage=detail))

    def _without_length(self, header: Header) -> Framed:
        offset = self._buffer.offset_at(self._position)
        num_bytes = self._pass_to_start(self._position + header.size)
        damage = self._damage_here() or "the record's own header does not say its length, or ends early"
        return self._broken(header, offset, 0, num_bytes, damage)

    def _pass_to_start(self, position: int) -> int:
        """Move to the next start of a record, or to the break; how many bytes were passed from `position` on."""
        buffer, num_passed = self._buffer, 0
        while True:
            found = self._start_in(position, len(buffer.data))
            if found is not None:
                self._position = found
                return num_passed + found - position
            kept = max(position, len(buffer.data) - _OVERLAP)
            num_passed += kept - position
            buffer.drop(kept)
            position = 0
            if not buffer.more():
                self._position = len(buffer.data)
                return num_passed + len(buffer.data)

    def _start_in(self, position: int, end: int) -> int | None:
        match = self._dialect.start.search(self._buffer.data, position, end)
        return match.start() if match else None

    def _damage_here(self) -> str | None:
        """Why the bytes break off at the position, where they do."""
        buffer = self._buffer
        is_here = buffer.damage is not None and self._position >= len(buffer.data)
        return buffer.damage.damage if is_here and buffer.damage else None

    def _held(self, header: Header, length: int) -> Framed:
        """A record whose block is held in memory."""
        buffer = self._buffer
        begin = self._position
        start, end = begin + header.size, begin + header.size + length
        while len(buffer.data) < end and buffer.more():
            pass
        offset = buffer.offset_at(begin)
        num_there = min(end, len(buffer.data)) - start
        is_short = num_there < length
        if is_short or not self._is_end(end):
            found = self._start_in(start, len(buffer.data))
            if found is not None and found < end:
                self._position = found
                return self._cut(header, length, offset, found - start)
        damage = buffer.damage
        if damage is not None and not damage.ends_early and not buffer.is_sound(end):
            is_short = True  # its member is damaged right behind: a wrong checksum says that about all of it
        if is_short:
            return self._short(header, length, offset, num_there)
        self._position = end
        self._number += 1
        return Framed(self._number - 1, offset, header, buffer.data, start, end, num_bytes=length)

    def _short(self, header: Header, length: int, offset: int, num_there: int) -> Framed:
        """A record that ends with the bytes, or where they break off."""
        self._position = len(self._buffer.data)
        return self._broken(header, offset, length - num_there, num_there, self._damage_here() or "the file ends")

    def _cut(self, header: Header, length: int, offset: int, num_there: int) -> Framed:
        return self._broken(header, offset, length - num_there, num_there, "another record begins there")

    def _broken(self, header: Header, offset: int, num_missing: int, num_there: int, damage: str) -> Framed:
        record = Framed(0, offset, header, num_missing=num_missing, num_bytes=num_there, is_whole=False, damage=damage)
        return self._next(record)

    def _is_end(self, end: int) -> bool:
        """Whether a record can end here: line ends follow, a record, or nothing."""
        buffer = self._buffer
        if buffer.data.startswith(b"\r\n\r\n", end) or buffer.ends_at(end):
            return True
        while len(buffer.data) < end + 4 and buffer.more():
            pass
        rest = buffer.data[end : end + 4]
        if not rest.strip(b"\r\n"):
            return True
        while len(buffer.data) < end + MAX_HEADER_BYTES and buffer.more():
            pass
        begin = end
        while begin < len(buffer.data) and buffer.data[begin] in b"\r\n":
            begin += 1
        return begin == len(buffer.data) or self._dialect.start.match(buffer.data, begin) is not None

    def _passed(self, header: Header) -> Framed:
        """A record whose block is over the limit: it is passed without being held."""
        buffer = self._buffer
        length = header.length or 0
        offset = buffer.offset_at(self._position)
        remaining, candidate, num_before = length, None, 0
        is_believed = self._returns < _MAX_RETURNS
        buffer.drop(self._position + header.size)
        self._position = 0
        while True:
            num_here = min(len(buffer.data), remaining)
            found = self._start_in(0, num_here) if candidate is None else None
            if found is not None:
                if not is_believed:
                    self._position = found
                    return self._cut(header, length, offset, num_before + found)
                candidate = (buffer.place_at(found), num_before + found)
            # The last bytes are looked at again, unless the block ends with them.
            kept = 0 if num_here == remaining else min(_OVERLAP, num_here)
            buffer.drop(num_here - kept)
            remaining -= num_here - kept
            num_before += num_here - kept
            if remaining == 0 or not buffer.more():
                break
        is_short = remaining > 0
        if candidate is not None and (is_short or not self._is_end(0)):
            self._returns += 1
            place, num_there = candidate
            buffer.return_to(place)
            return self._cut(header, length, offset, num_there)
        if is_short:
            return self._short(header, length, offset, num_before + len(buffer.data))
        return self._next(Framed(0, offset, header, num_bytes=length, is_held=False))
