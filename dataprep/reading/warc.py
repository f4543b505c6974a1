"""WARC files, plain or compressed, one record or many a member. What cannot be read becomes a record that says so."""

import functools
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from dataprep.reading.compression import Compression, compression_of, pieces
from dataprep.reading.fields import as_date
from dataprep.reading.framing import INCOMPLETE, MAX_HEADER_BYTES, Dialect, Framed, Header, frame
from dataprep.reading.http_answer import Block, http_answer, plain_block
from dataprep.reading.plain_buffer import PlainBuffer
from dataprep.reading.record import Problem, Record

_VERSION = re.compile(rb"WARC/[01]\.\d{1,2}[ \t]*\r?\n")
_START = re.compile(rb"WARC/[01]\.\d{1,2}[ \t]*\r?\n[A-Za-z][A-Za-z0-9-]{1,60}:")
_FOLDED = re.compile(rb"\r?\n[ \t]+")  # a line that begins blank goes on with the one before
_LONGEST_VERSION = 16  # bytes
_USED = frozenset(
    (
        *("content-length", "content-type", "warc-type", "warc-date", "warc-target-uri", "warc-truncated"),
        *("warc-segment-number", "warc-refers-to", "warc-refers-to-target-uri", "warc-refers-to-date"),
        "warc-payload-digest",
    )
)
"""Names of the fields that are looked at; the others are passed over."""

_LONGEST_KNOWN_NAME = 64  # bytes; longer ones are looked at each time, so a file cannot fill memory with them
_NO_PAGE = ("text/dns", "application/warc-fields")


def read_warc(stream: BinaryIO, max_record_bytes: int, by_name: Compression | None = None) -> Iterator[Record]:
    """Every record of a seekable WARC stream, numbered from 0, in file order.

    Answers of servers, resources and conversions give what they hold. Requests and metadata come with a problem
    `not_a_response`, revisits with `revisit`. After damage, reading goes on at the next record that can be found; the
    bytes between become one record with the problem `unreadable_bytes`. A record that is shorter than it says is a
    `truncated_record`; records that it swallowed are found again. `by_name` is the compression that the name tells.
    """
    compression = compression_of(stream, by_name, _START)
    buffer = PlainBuffer(lambda start: pieces(stream, compression, start), compression is not None)
    number = -1
    for framed in frame(buffer, _DIALECT, max_record_bytes):
        number = framed.number
        yield _record(framed, max_record_bytes)
    if number < 0:
        yield nothing_read(stream)


def nothing_read(stream: BinaryIO) -> Record:
    """The one record of a file in which there is none."""
    size = stream.seek(0, 2)
    if size == 0:
        return Record(0, 0, problem=Problem("empty_file", 0))
    return Record(0, 0, num_payload_bytes=size, problem=Problem("unreadable_bytes", size, detail="no record is here"))


def _parse(data: bytes, position: int, is_all: bool) -> Header | None:
    version = _VERSION.match(data, position)
    if version is None:
        is_cut = len(data) - position < _LONGEST_VERSION and not is_all
        return INCOMPLETE if is_cut else None
    limit = position + MAX_HEADER_BYTES
    end, size_of_end = data.find(b"\r\n\r\n", position, limit), 4
    bare = data.find(b"\n\n", position, limit if end < 0 else end)
    if bare >= 0:
        end, size_of_end = bare, 2
    if end < 0:
        if not is_all:
            return INCOMPLETE
        fields = _fields(data[version.end() : limit])
        # Where not even the address is known, these are bytes like others.
        return Header(fields, None, min(len(data), limit) - position) if "warc-target-uri" in fields else None
    fields = _fields(data[version.end() : end])
    length = fields.get("content-length", "")
    known = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
    if known is None and "warc-target-uri" not in fields:
        return None
    return Header(fields, known, end + size_of_end - position)


_DIALECT = Dialect(_START, _parse)


def _fields(lines: bytes) -> dict[str, str]:
    """Those that are used, names in lower case; the last of a repeated field counts."""
    if b"\n " in lines or b"\n\t" in lines:
        lines = _FOLDED.sub(b" ", lines)
    fields = {}
    for line in lines.split(b"\n"):
        written, _, value = line.partition(b":")
        name = _known_name(written) if len(written) <= _LONGEST_KNOWN_NAME else _used_name(written)
        if name is not None:
            fields[name] = value.decode("utf-8", "replace").strip()
    return fields


def _used_name(written: bytes) -> str | None:
    """The name in lower case where it is one of `_USED`."""
    name = written.decode("utf-8", "replace").strip().lower()
    return name if name in _USED else None


_known_name = functools.lru_cache(maxsize=1024)(_used_name)
"""Crawlers write some twenty names, each in every record."""


def damaged(framed: Framed, url: str | None, date: datetime | None) -> Record | None:
    """The record of what is not whole, or not held; None where nothing is wrong."""
    number, offset, header = framed.number, framed.offset, framed.header
    if header is None:
        problem = Problem("unreadable_bytes", framed.num_bytes, detail=framed.damage)
        return Record(number, offset, num_payload_bytes=framed.num_bytes, problem=problem)
    if framed.is_whole:
        return None
    if header.length is None:
        problem = Problem("truncated_record", detail=framed.damage)
    else:
        detail = f"{framed.num_bytes} of {header.length} bytes are there: {framed.damage}"
        problem = Problem("truncated_record", framed.num_missing, 0, detail)
    return Record(number, offset, url, date, num_payload_bytes=framed.num_bytes, problem=problem)


def _record(framed: Framed, max_record_bytes: int) -> Record:
    if framed.header is None:
        return damaged(framed, None, None) or nothing_here(framed)
    fields = framed.header.fields
    url, date = fields.get("warc-target-uri"), as_date(fields.get("warc-date"))
    if url is not None and url[:1] == "<":
        url = url.strip("<>")  # as WARC 1.0 drew it, and Wget writes it
    if not framed.is_whole:
        return damaged(framed, url, date) or nothing_here(framed)
    kind, content_type = fields.get("warc-type", "unknown").lower(), fields.get("content-type", "")
    place = (framed.number, framed.offset, url, date)
    problem = _unwanted(kind, content_type.lower(), fields)
    if problem is None and not framed.is_held:
        problem = Problem("record_too_large", framed.num_bytes, max_record_bytes)
    if problem is not None:
        return Record(*place, num_payload_bytes=framed.num_bytes, problem=problem)
    truncated = fields.get("warc-truncated")
    if truncated is None and "warc-segment-number" in fields:
        truncated = "segmented"
    block = Block(framed.data, framed.start, framed.end, content_type, truncated)
    if kind == "response" or content_type.lower().startswith("application/http"):
        return http_answer(block, place, max_record_bytes)
    return plain_block(block, place)


def nothing_here(framed: Framed) -> Record:
    raise AssertionError(f"record {framed.number} is neither whole nor damaged")


def _unwanted(kind: str, content_type: str, fields: dict[str, str]) -> Problem | None:
    if kind == "revisit":
        return Problem("revisit", detail=_refers_to(fields))
    if kind not in ("response", "resource", "conversion"):
        return Problem("not_a_response", detail=kind)
    if content_type.startswith(_NO_PAGE):
        return Problem("not_a_response", detail=f"{kind} of {content_type}")
    return None


def _refers_to(fields: dict[str, str]) -> str:
    """Which page a revisit stands for: its address, its date, or what else the record knows of it."""
    url, date = fields.get("warc-refers-to-target-uri"), fields.get("warc-refers-to-date")
    if url or date:
        return " of ".join(filter(None, ("as " + (url or "the same address"), date)))
    known = fields.get("warc-refers-to") or fields.get("warc-payload-digest")
    return f"as {known}" if known else "it does not say of what"
