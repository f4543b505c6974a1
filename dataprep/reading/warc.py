"""WARC files, plain or compressed, one record or many a member. What cannot be read becomes a record that says so."""

import functools
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from dataprep.reading.compression import Compression
from dataprep.reading.fields import as_date
from dataprep.reading.framed_records import Fields, Format, length_of, read_records
from dataprep.reading.framing import INCOMPLETE, MAX_HEADER_BYTES, Dialect, Framed, Header
from dataprep.reading.http_answer import Block
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
    return read_records(stream, max_record_bytes, by_name, _FORMAT)


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
    known = length_of(fields.get("content-length", ""))
    if known is None and "warc-target-uri" not in fields:
        return None
    return Header(fields, known, end + size_of_end - position)


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


def _page(fields: Fields) -> tuple[str | None, datetime | None]:
    url = fields.get("warc-target-uri")
    if url is not None and url[:1] == "<":
        url = url.strip("<>")  # as WARC 1.0 drew it, and Wget writes it
    return url, as_date(fields.get("warc-date"))


def _problem(fields: Fields) -> Problem | None:
    kind, content_type = _kind(fields), fields.get("content-type", "").lower()
    if kind == "revisit":
        return Problem("revisit", detail=_refers_to(fields))
    if kind not in ("response", "resource", "conversion"):
        return Problem("not_a_response", detail=kind)
    if content_type.startswith(_NO_PAGE):
        return Problem("not_a_response", detail=f"{kind} of {content_type}")
    return None


def _block(framed: Framed, fields: Fields) -> tuple[Block, bool]:
    content_type, truncated = fields.get("content-type", ""), fields.get("warc-truncated")
    if truncated is None and "warc-segment-number" in fields:
        truncated = "segmented"
    is_http = _kind(fields) == "response" or content_type.lower().startswith("application/http")
    return Block(framed.data, framed.start, framed.end, content_type, truncated), is_http


def _kind(fields: Fields) -> str:
    return fields.get("warc-type", "unknown").lower()


def _refers_to(fields: dict[str, str]) -> str:
    """Which page a revisit stands for: its address, its date, or what else the record knows of it."""
    url, date = fields.get("warc-refers-to-target-uri"), fields.get("warc-refers-to-date")
    if url or date:
        return " of ".join(filter(None, ("as " + (url or "the same address"), date)))
    known = fields.get("warc-refers-to") or fields.get("warc-payload-digest")
    return f"as {known}" if known else "it does not say of what"


_FORMAT = Format(Dialect(_START, _parse), _page, _problem, _block)
