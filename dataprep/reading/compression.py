"""Stored bytes with their compression undone: by what the file's first bytes are, whatever its name says.

stored file --compression.py--> members.py (gzip, bzip2, xz), zstd_frames.py, or as it is --> Piece, Piece, ...
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal

from dataprep.reading.members import BZIP2, GZIP, XZ, is_readable, member_pieces
from dataprep.reading.pieces import PIECE_BYTES, Piece
from dataprep.reading.stored import StoredBytes
from dataprep.reading.zstd_frames import ZSTD_MAGIC, zstd_pieces

Compression = Literal["gzip", "zstd", "bz2", "xz"]

COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
"""Last ending of a file's name -> its compression."""

_KINDS = {"gzip": GZIP, "bz2": BZIP2, "xz": XZ}
_MAGICS: tuple[tuple[re.Pattern[bytes], Compression], ...] = (
    (GZIP.magic, "gzip"),
    (ZSTD_MAGIC, "zstd"),
    (BZIP2.magic, "bz2"),
    (XZ.magic, "xz"),
)
_SNIFFED_BYTES = 512
_SEARCHED_BYTES = 1 << 20  # for a first member where the file's first bytes are damaged
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def compression_of(
    stream: BinaryIO, by_name: Compression | None, plain_start: re.Pattern[bytes] | None = None
) -> Compression | None:
    """How a file is compressed, by its first bytes. The stream stands at 0 after.

    Where these are damaged, by what comes first: `plain_start`, which files of this format hold when they are not
    compressed, or a member that can be read; then by its name.
    """
    stream.seek(0)
    head = stream.read(_SNIFFED_BYTES)
    for magic, compression in _MAGICS:
        if magic.match(head):
            is_plain = compression == "gzip" and plain_start and _goes_on_plain(StoredBytes(stream), plain_start)
            return None if is_plain else compression
    if not _BINARY.search(head):
        return None
    if by_name is None:
        head += stream.read(_SEARCHED_BYTES)
        found = plain_start.search(head) if plain_start else None
        for match in GZIP.magic.finditer(head, 0, found.start() if found else len(head)):
            if is_readable(StoredBytes(stream), GZIP, match.start()):
                return "gzip"
    return by_name


def _goes_on_plain(stored: StoredBytes, plain_start: re.Pattern[bytes]) -> bool:
    """Whether plain records stand behind the first gzip member: it is then what is out of place."""
    num_bytes = 0
    for piece in member_pieces(stored, GZIP, 0):
        if piece.is_raw:
            return plain_start.match(piece.data) is not None
        if piece.damage is not None or piece.offset > 0:
            return False
        num_bytes += len(piece.data)
        if num_bytes > _SEARCHED_BYTES:
            return False
    return False


def pieces(stream: BinaryIO, compression: Compression | None, start: int = 0) -> Iterator[Piece]:
    """The file's plain bytes from `start`, where a member begins (any byte of a file that is not compressed)."""
    if compression is None:
        return _plain(stream, start)
    stored = StoredBytes(stream)
    return zstd_pieces(stored, start) if compression == "zstd" else member_pieces(stored, _KINDS[compression], start)


def _plain(stream: BinaryIO, start: int) -> Iterator[Piece]:
    stream.seek(start)
    while data := stream.read(PIECE_BYTES):
        yield Piece(data, start)
        start += len(data)
