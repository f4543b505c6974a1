"""Plain text and HTML files: one document a file, a line or a paragraph."""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.lines import Line, lines
from dataprep.reading.pieces import Piece
from dataprep.reading.record import Problem, Record

DocumentUnit = Literal["file", "line", "paragraph"]


def read_whole(
    stream: BinaryIO, by_name: Compression | None, max_record_bytes: int, content_type: str, url: str | None
) -> Iterator[Record]:
    """One record: the file. Its charset is found as that of a page that says none."""
    compression = compression_of(stream, by_name)
    data, num_bytes = [], 0
    damage: Piece | None = None
    for piece in pieces(stream, compression):
        num_bytes += len(piece.data)
        if num_bytes <= max_record_bytes:
            data.append(piece.data)
        damage = damage or (piece if piece.damage is not None or piece.is_raw else None)
    problem = None
    if num_bytes > max_record_bytes:
        problem = Problem("record_too_large", num_bytes, max_record_bytes)
    elif damage is not None:
        detail = damage.damage or "these bytes are not compressed as the file is"
        problem = Problem("unreadable_bytes", damage.num_lost or len(damage.data), detail=detail)
    elif num_bytes == 0:
        problem = Problem("empty_file", 0)
    payload = b"".join(data) if problem is None else b""
    yield Record(0, 0, url, None, None, content_type, None, num_bytes, payload, problem=problem)


def read_text_parts(
    stream: BinaryIO,
    by_name: Compression | None,
    max_record_bytes: int,
    unit: Literal["line", "paragraph"],
    url: str | None,
) -> Iterator[Record]:
    """A record for every line that is not blank, or every paragraph (lines between blank ones), numbered from 0.

    `url`, with the number behind it, is each one's address.
    """
    compression = compression_of(stream, by_name)
    number = 0
    source = lines(pieces(stream, compression), compression is not None, max_record_bytes)
    for part in source if unit == "line" else _paragraphs(source, max_record_bytes):
        if part.damage is None and part.data is not None and not part.data.strip():
            continue
        yield _part(part, number, max_record_bytes, None if url is None else f"{url}#{number}")
        number += 1
    if number == 0:
        yield Record(0, 0, url, problem=Problem("empty_file", 0))


def _paragraphs(source: Iterator[Line], max_bytes: int) -> Iterator[Line]:
    parts: list[bytes] = []
    length, offset = 0, 0
    for line in source:
        is_text = line.damage is None and (line.data is None or line.data.strip())
        if is_text:
            offset = offset if length else line.offset
            length += line.length
            if length <= max_bytes:
                parts.append(line.data or b"")
            continue
        if length:
            yield Line(b"\n".join(parts) if length <= max_bytes + 1 else None, length, offset)
            parts, length = [], 0
        if line.damage is not None:
            yield line
    if length:
        yield Line(b"\n".join(parts) if length <= max_bytes + 1 else None, length, offset)


def _part(part: Line, number: int, max_record_bytes: int, url: str | None) -> Record:
    if part.damage is not None or part.data is None:
        problem = part.damage or Problem("record_too_large", part.length, max_record_bytes)
        return Record(number, part.offset, url, num_payload_bytes=part.length, problem=problem)
    try:
        text, payload = part.data.decode("utf-8-sig"), b""
    except UnicodeDecodeError:
        text, payload = None, part.data  # its charset is to be found
    return Record(
        number,
        part.offset,
        url,
        content_type="text/plain",
        num_payload_bytes=part.length,
        payload=payload,
        text=text,
    )
