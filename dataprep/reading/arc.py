"""ARC files (Internet Archive, version 1 and 2), plain or compressed: what crawls were kept in before WARC.

A record is a line `URL IP-address date content-type length` (version 2 puts more fields before the length), and as many
bytes: an HTTP answer, or in some crawls the body alone. The first record, `filedesc://`, describes the file.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.framing import INCOMPLETE, Dialect, Framed, Header, frame
from dataprep.reading.http_answer import Block, http_answer, plain_block
from dataprep.reading.plain_buffer import PlainBuffer
from dataprep.reading.record import Problem, Record
from dataprep.reading.warc import damaged, nothing_here, nothing_read

_MAX_LINE_BYTES = 1 << 13
_LINE = re.compile(
    rb"(?>([A-Za-z][A-Za-z0-9+.\-]*+:[^\r\n]{0,8000}?) (\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*+:[0-9A-Fa-f:.]*+|-) "
    rb"(\d{8,18}) )([^\s]*+) (?:[^\r\n]{0,2000} )?([^\s]++)[ \t]*+\r?\n"
)
"""Nothing that was matched is given back (`?>`, `*+`), so the time is that of the line's length."""

_START = re.compile(rb"(?<![^\n])" + _LINE.pattern)


def read_arc(stream: BinaryIO, max_record_bytes: int, by_name: Compression | None = None) -> Iterator[Record]:
    """Every record of a seekable ARC stream, numbered from 0, in file order.

    Problems are those of `read_warc`; the description of the file is `not_a_response`.
    """
    compression = compression_of(stream, by_name, _START)
    buffer = PlainBuffer(lambda start: pieces(stream, compression, start), compression is not None)
    number = -1
    for framed in frame(buffer, _DIALECT, max_record_bytes):
        number = framed.number
        yield _record(framed, max_record_bytes)
    if number < 0:
        yield nothing_read(stream)


def _parse(data: bytes, position: int, is_all: bool) -> Header | None:
    end = data.find(b"\n", position, position + _MAX_LINE_BYTES)
    if end < 0:
        return INCOMPLETE if not is_all and len(data) - position < _MAX_LINE_BYTES else None
    match = _LINE.match(data, position, end + 1)
    if match is None:
        return None
    url, _, date, kind, length = (part.decode("utf-8", "replace") for part in match.groups())
    known = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
    return Header({"url": url, "date": date, "content-type": kind}, known, match.end() - position)


_DIALECT = Dialect(_START, _parse)


def _record(framed: Framed, max_record_bytes: int) -> Record:
    if framed.header is None:
        return damaged(framed, None, None) or nothing_here(framed)
    fields = framed.header.fields
    url, date, content_type = fields["url"], _date(fields["date"]), fields["content-type"]
    if not framed.is_whole:
        return damaged(framed, url, date) or nothing_here(framed)
    place = (framed.number, framed.offset, url, date)
    problem = None
    if url.startswith(("filedesc:", "dns:")):
        problem = Problem("not_a_response", detail=url.partition(":")[0])
    elif not framed.is_held:
        problem = Problem("record_too_large", framed.num_bytes, max_record_bytes)
    if problem is not None:
        return Record(*place, num_payload_bytes=framed.num_bytes, problem=problem)
    block = Block(framed.data, framed.start, framed.end, "" if content_type == "-" else content_type, None)
    is_http = framed.data.startswith(b"HTTP/", framed.start, framed.end)
    return http_answer(block, place, max_record_bytes) if is_http else plain_block(block, place)


def _date(value: str) -> datetime | None:
    """`YYYYMMDDhhmmss`, of which old crawls leave out the end."""
    try:
        return datetime.strptime(value[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
