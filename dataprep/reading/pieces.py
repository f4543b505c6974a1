"""What undoing a compression gives: one piece of plain bytes after another, or the news that some could not be had."""

from collections.abc import Iterator
from typing import NamedTuple

from dataprep.reading.stored import StoredBytes

PIECE_BYTES = 1 << 20
"""The most that a piece holds: a bomb grows a thousandfold, and is given away piece by piece."""

_PADDING = b"\0\r\n\t "  # between members, and behind the last


class Piece(NamedTuple):
    """Plain bytes. A file is a row of members, each compressed by itself; a member is one piece or several."""

    data: bytes
    offset: int  # in the stored file: of the member; of a file that is not compressed, of `data` itself
    begins: bool = True  # a member begins with it
    ends: bool = False  # a member ends with it, whole
    is_raw: bool = False  # it stands between two members and is not compressed
    damage: str | None = (
        None  # why what was to follow cannot be read; the next piece does not join on to what was given
    )
    num_lost: int = 0  # stored bytes that are damaged
    ends_early: bool = False  # nothing is wrong but that the file ends


def between_members(stored: StoredBytes, position: int, end: int) -> Iterator[Piece]:
    """What stands between two members, as it is; nothing where it begins with padding and holds nothing else."""
    begins, is_padding = True, True
    while position < end:
        data = stored.at(position, min(PIECE_BYTES, end - position))
        is_padding = is_padding and not data.strip(_PADDING)
        if not is_padding:
            yield Piece(data, position, begins, is_raw=True)
            begins = False
        position += len(data)
