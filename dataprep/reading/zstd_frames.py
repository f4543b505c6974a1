"""Zstandard files, frame by frame and block by block, with the dictionary that a file may bring along.

Frames are walked by their headers (RFC 8878, 3.1.1): a block never gives more than 128 KiB, so no bomb is held, and
damage costs the rest of its frame. A dictionary stands in a skippable frame at the file's start ("Use of Zstandard
Compression in WARC Files", IIPC 2021), compressed or not.
"""

import re
from collections.abc import Generator, Iterator
from typing import Any

import zstandard

from dataprep.reading.pieces import Piece, between_members
from dataprep.reading.stored import StoredBytes

ZSTD_MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
_FRAME = b"\x28\xb5\x2f\xfd"
_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
_MAX_DICTIONARY_BYTES = 1 << 24  # those of crawls are some 100 KiB
_MAX_WINDOW_BYTES = 1 << 31  # what `zstd --long=31` takes
_HEADER_BYTES = 18  # at most
_ID_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_GATHERED_BYTES = 1 << 16  # of small blocks, given away as one piece: who takes pieces joins them on to what is there
_RLE, _RESERVED = 1, 3  # types of a block


class _DamagedFrameError(Exception):
    pass


def zstd_pieces(stored: StoredBytes, position: int) -> Iterator[Piece]:
    """The plain bytes from `position`, where a frame begins; what stands between frames comes raw."""
    dictionary = _dictionary(stored)
    while head := stored.at(position, _HEADER_BYTES):
        if not ZSTD_MAGIC.match(head):
            found = _next_frame(stored, position, dictionary)
            yield from between_members(stored, position, found)
            position = found
        elif head[:4] != _FRAME:  # to be skipped
            position += 8 + int.from_bytes(head[4:8], "little")
        else:
            position = yield from _frame(stored, position, dictionary)


def _dictionary(stored: StoredBytes) -> zstandard.ZstdCompressionDict | None:
    head = stored.at(0, 8)
    size = int.from_bytes(head[4:], "little")
    if head[:4] != _DICTIONARY_FRAME or size > _MAX_DICTIONARY_BYTES:
        return None
    data = stored.at(8, size)
    if data.startswith(_FRAME):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MAX_DICTIONARY_BYTES)
        except zstandard.ZstdError:
            return None  # every frame will say which dictionary it misses
    return zstandard.ZstdCompressionDict(data)


def _frame(
    stored: StoredBytes, start: int, dictionary: zstandard.ZstdCompressionDict | None
) -> Generator[Piece, None, int]:
    """Gives the frame's pieces, and returns where the next frame may begin."""
    decompressor = _decompressor(dictionary)
    begins, end, held = True, start, bytearray()
    try:
        for block, end, is_last in _blocks(stored, start):  # noqa: B007 - where the last one ends, the frame does
            held += decompressor.decompress(block)
            if len(held) >= _GATHERED_BYTES or is_last:
                yield Piece(bytes(held), start, begins, is_last)
                begins, held = False, bytearray()
            if is_last and not decompressor.eof:
                raise _DamagedFrameError("the frame does not end with its last block")
    except (zstandard.ZstdError, _DamagedFrameError) as error:
        if held:
            yield Piece(bytes(held), start, begins)
        found = _next_frame(stored, start + 1, dictionary)
        why = _missing_dictionary(stored, start, dictionary) or f"damaged Zstandard data: {error}"
        yield Piece(b"", start, damage=why, num_lost=found - start)
        return found
    except EOFError:
        if held:
            yield Piece(bytes(held), start, begins)
        found = _next_frame(stored, start + 1, dictionary)  # a damaged length may point behind the file's end
        yield Piece(b"", start, damage="the Zstandard data ends early", num_lost=found - start, ends_early=True)
        return found
    return end


def _decompressor(dictionary: zstandard.ZstdCompressionDict | None) -> Any:
    return zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=_MAX_WINDOW_BYTES).decompressobj()


def _blocks(stored: StoredBytes, start: int) -> Iterator[tuple[bytes, int, bool]]:
    """(bytes to feed, where they end in the file, whether these are the last) of the frame at `start`.

    The first come with the frame's header, the last with its checksum. Raises EOFError where the file ends before.
    """
    begin, position = start, start + _header_size(stored.at(start, _HEADER_BYTES))
    has_checksum = stored.at(start + 4, 1)[0] & 4
    is_last = False
    while not is_last:
        header = int.from_bytes(_exactly(stored, position, 3), "little")
        is_last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if kind == _RESERVED:
            raise _DamagedFrameError("a block of a kind that there is not")
        position += 3 + (1 if kind == _RLE else size) + (4 if is_last and has_checksum else 0)
        yield _exactly(stored, begin, position - begin), position, is_last
        begin = position


def _header_size(head: bytes) -> int:
    if len(head) < 5:
        raise EOFError
    descriptor = head[4]
    is_single = descriptor >> 5 & 1
    size_flag = descriptor >> 6
    size_bytes = _SIZE_BYTES[size_flag] or is_single
    return 5 + (not is_single) + _ID_BYTES[descriptor & 3] + size_bytes


def _exactly(stored: StoredBytes, position: int, size: int) -> bytes:
    data = stored.at(position, size)
    if len(data) < size:
        raise EOFError
    return data


def _missing_dictionary(
    stored: StoredBytes, start: int, dictionary: zstandard.ZstdCompressionDict | None
) -> str | None:
    try:
        wanted = zstandard.get_frame_parameters(stored.at(start, _HEADER_BYTES)).dict_id
    except zstandard.ZstdError:
        return None
    if wanted == 0 or (dictionary is not None and dictionary.dict_id() == wanted):
        return None
    return f"compressed with the dictionary {wanted}, which the file does not begin with"


def _next_frame(stored: StoredBytes, position: int, dictionary: zstandard.ZstdCompressionDict | None) -> int:
    """Where the next frame begins whose first block can be read, at or after `position`; the file's end if none."""
    return stored.find(ZSTD_MAGIC, position, lambda at: _is_readable(stored, at, dictionary))


def _is_readable(stored: StoredBytes, position: int, dictionary: zstandard.ZstdCompressionDict | None) -> bool:
    try:
        if stored.at(position, 4) != _FRAME:
            return False
        block, _, _ = next(_blocks(stored, position))
        _decompressor(dictionary).decompress(block)
    except (zstandard.ZstdError, _DamagedFrameError, EOFError):
        return False
    return True
