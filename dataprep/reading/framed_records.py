"""Records of crawls from what is framed: what WARC and ARC do alike.

What cannot be read becomes a record that says so.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.framing import Dialect, Framed, Header, frame
from dataprep.reading.http_answer import Block, Place, http_answer, plain_block
from dataprep.reading.plain_buffer import PlainBuffer
from dataprep.reading.record import Problem, Record

Fields = dict[str, str]
"""Of a record's own header, by name in lower case."""


class Format(NamedTuple):
    """How records of one format look, and what their fields mean."""

    dialect: Dialect
    page: Callable[[Fields], tuple[str | None, datetime | None]]  # its URL, and when it was fetched
    problem: Callable[[Fields], Problem | None]  # why a sound record holds no page
    block: Callable[[Framed, Fields], tuple[Block, bool]]  # what it holds, and whether that is an HTTP answer


def read_records(
    stream: BinaryIO, max_record_bytes: int, by_name: Compression | None, form: Format
) -> Iterator[Record]:
    """Every record of a seekable stream, numbered from 0, in file order; one with a problem where there is none."""
    compression = compression_of(stream, by_name, form.dialect.start)
    buffer = PlainBuffer(lambda start: pieces(stream, compression, start), compression is not None)
    is_empty = True
    for framed in frame(buffer, form.dialect, max_record_bytes):
        is_empty = False
        yield _record(framed, max_record_bytes, form)
    if is_empty:
        yield _nothing(stream)


def length_of(written: str) -> int | None:
    """Bytes, as a header says them; None where it says no number that a file could have."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def _nothing(stream: BinaryIO) -> Record:
    size = stream.seek(0, 2)
    if size == 0:
        return Record(0, 0, problem=Problem("empty_file", 0))
    return Record(0, 0, num_payload_bytes=size, problem=Problem("unreadable_bytes", size, detail="no record is here"))


def _record(framed: Framed, max_record_bytes: int, form: Format) -> Record:
    if framed.header is None:
        unreadable = Problem("unreadable_bytes", framed.num_bytes, detail=framed.damage)
        return Record(framed.number, framed.offset, num_payload_bytes=framed.num_bytes, problem=unreadable)
    fields = framed.header.fields
    place: Place = (framed.number, framed.offset, *form.page(fields))
    problem = _truncation(framed, framed.header) if not framed.is_whole else form.problem(fields)
    if problem is None and not framed.is_held:
        problem = Problem("record_too_large", framed.num_bytes, max_record_bytes)
    if problem is not None:
        return Record(*place, num_payload_bytes=framed.num_bytes, problem=problem)
    block, is_http = form.block(framed, fields)
    return http_answer(block, place, max_record_bytes) if is_http else plain_block(block, place)


def _truncation(framed: Framed, header: Header) -> Problem:
    if header.length is None:
        return Problem("truncated_record", detail=framed.damage)
    detail = f"{framed.num_bytes} of {header.length} bytes are there: {framed.damage}"
    return Problem("truncated_record", framed.num_missing, 0, detail)
