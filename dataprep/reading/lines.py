"""Lines of a file, plain or compressed, within a limit; and what is damaged between them."""

from collections.abc import Iterator
from typing import NamedTuple

from dataprep.reading.pieces import Piece
from dataprep.reading.record import Problem


class Line(NamedTuple):
    """A line without its line end, or a stretch that cannot be read."""

    data: bytes | None  # None: longer than the limit and not kept, or damaged
    length: int  # bytes, with the line end
    offset: int  # in the stored file, of the line; where it is compressed, of the member that it begins in
    damage: Problem | None = None


def lines(pieces: Iterator[Piece], is_compressed: bool, max_bytes: int) -> Iterator[Line]:
    """Every line; where bytes are damaged the line that they break off, and then a Line that says so."""
    parts: list[bytes] = []
    length, offset, num_raw, raw_offset = 0, 0, 0, 0
    for piece in pieces:
        if piece.is_raw:
            raw_offset = raw_offset if num_raw else piece.offset
            num_raw += len(piece.data)
        if (piece.is_raw or piece.damage is not None) and length:
            yield Line(b"".join(parts) if length <= max_bytes else None, length, offset)
            parts, length = [], 0
        if piece.is_raw:
            continue
        if num_raw:
            yield _not_compressed(num_raw, raw_offset)
            num_raw = 0
        if piece.damage is not None:
            problem = Problem("unreadable_bytes", piece.num_lost, detail=piece.damage)
            yield Line(None, piece.num_lost, piece.offset, problem)
            continue
        chunk, start = piece.data, 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if not length:
                offset = piece.offset if is_compressed else piece.offset + start
            length += end + 1 - start
            parts.append(chunk[start:end])
            yield Line(b"".join(parts) if length <= max_bytes + 1 else None, length, offset)
            parts, length, start = [], 0, end + 1
        if start < len(chunk):
            if not length:
                offset = piece.offset if is_compressed else piece.offset + start
            length += len(chunk) - start
            if length <= max_bytes:
                parts.append(chunk[start:])
    if length:
        yield Line(b"".join(parts) if length <= max_bytes else None, length, offset)
    if num_raw:
        yield _not_compressed(num_raw, raw_offset)


def _not_compressed(num_bytes: int, offset: int) -> Line:
    problem = Problem("unreadable_bytes", num_bytes, detail="these bytes are not compressed as the file is")
    return Line(None, num_bytes, offset, problem)
