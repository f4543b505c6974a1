"""ARC files (Internet Archive, version 1 and 2), plain or compressed: what crawls were kept in before WARC.

A record is a line `URL IP-address date content-type length` (version 2 puts more fields before the length), and as many
bytes: an HTTP answer, or in some crawls the body alone. The first record, `filedesc://`, describes the file.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from dataprep.reading.compression import Compression
from dataprep.reading.framed_records import Fields, Format, length_of, read_records
from dataprep.reading.framing import INCOMPLETE, Dialect, Framed, Header
from dataprep.reading.http_answer import Block
from dataprep.reading.record import Problem, Record

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
    return read_records(stream, max_record_bytes, by_name, _FORMAT)


def _parse(data: bytes, position: int, is_all: bool) -> Header | None:
    end = data.find(b"\n", position, position + _MAX_LINE_BYTES)
    if end < 0:
        return INCOMPLETE if not is_all and len(data) - position < _MAX_LINE_BYTES else None
    match = _LINE.match(data, position, end + 1)
    if match is None:
        return None
    url, _, date, kind, length = (part.decode("utf-8", "replace") for part in match.groups())
    fields = {"url": url, "date": date, "content-type": kind}
    return Header(fields, length_of(length), match.end() - position)


def _page(fields: Fields) -> tuple[str, datetime | None]:
    return fields["url"], _date(fields["date"])


def _problem(fields: Fields) -> Problem | None:
    scheme, _, _ = fields["url"].partition(":")
    return Problem("not_a_response", detail=scheme) if scheme in ("filedesc", "dns") else None


def _block(framed: Framed, fields: Fields) -> tuple[Block, bool]:
    content_type = "" if fields["content-type"] == "-" else fields["content-type"]
    is_http = framed.data.startswith(b"HTTP/", framed.start, framed.end)
    return Block(framed.data, framed.start, framed.end, content_type, None), is_http


def _date(value: str) -> datetime | None:
    """`YYYYMMDDhhmmss`, of which old crawls leave out the end."""
    try:
        return datetime.strptime(value[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


_FORMAT = Format(Dialect(_START, _parse), _page, _problem, _block)
