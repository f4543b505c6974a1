"""WARC files, plain or gzip, one record or many a member. What cannot be read becomes a record that says so."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from dataprep.reading.http_body import BodyDecodingError, BodyTooLargeError, decode_body
from dataprep.reading.record import Problem, Record

_GZIP_MAGIC = b"\x1f\x8b\x08"
_RECORD_START = re.compile(rb"WARC/[01]\.\d+\r?\n")
_WINDOW = 1 << 20
_TRUNCATED = "truncated_record"


def read_warc(stream: BinaryIO, max_record_bytes: int) -> Iterator[Record]:
    """Every record of a seekable WARC stream, numbered from 0, in file order.

    Records that are not answers of a server (requests, metadata, revisits) come with a problem `not_a_response`.
    After damage, reading goes on at the next record that can be found; the bytes between become one record with the
    problem `unreadable_bytes`. A record that is shorter than it says is a `truncated_record`; records that it swallowed
    are found again.
    """
    size = stream.seek(0, 2)
    if size == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0))
        return
    number, start = 0, 0
    while start < size:
        last, record, message = start, None, None
        stream.seek(start)
        try:
            for warc in ArchiveIterator(stream, parse_http=False):
                last = warc.stream_pos
                record = _record(warc, number, max_record_bytes)
                yield record
                number += 1
        except OSError as error:
            message = str(error)
        if message is None and record is not None and record.problem and record.problem.reason == _TRUNCATED:
            start = _next_record(stream, last + 1, size)
            continue
        # Without a record nothing of the stretch was read; with a message, it broke behind the last record.
        gap = last if message is not None or record is None else _end_of_member(stream, last, size)
        if gap is None:  # the record is whole, its member is not
            start = _next_record(stream, last + 1, size)
            yield _unreadable(number, start, 0, "the gzip data ends early")
            number += 1
            continue
        start = _next_record(stream, gap + (gap == last), size) if gap < size else size
        if gap < start or message is not None:
            yield _unreadable(number, gap, start - gap, message or "no whole record is here")
            number += 1


def _unreadable(number: int, offset: int, num_bytes: int, detail: str) -> Record:
    problem = Problem("unreadable_bytes", num_bytes, detail=detail)
    return Record(number, offset, num_payload_bytes=num_bytes, problem=problem)


def _next_record(stream: BinaryIO, position: int, size: int) -> int:
    """Where the next record that can be read starts, at or after `position`; `size` when there is none."""
    while position < size:
        stream.seek(position)
        window = stream.read(_WINDOW + 64)
        found = [match.start() for match in _RECORD_START.finditer(window)]
        at = window.find(_GZIP_MAGIC)
        while at >= 0:
            if _is_record_member(stream, position + at):
                found.append(at)
                break
            at = window.find(_GZIP_MAGIC, at + 1)
        if found:
            return position + min(found)
        position += _WINDOW
    return size


def _is_record_member(stream: BinaryIO, position: int) -> bool:
    """Whether a gzip member that holds a WARC record starts here (the magic alone also occurs within data)."""
    stream.seek(position)
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(stream.read(512), 16).startswith(b"WARC/")
    except zlib.error:
        return False


def _end_of_member(stream: BinaryIO, start: int, size: int) -> int | None:
    """Where the gzip member at `start` ends, None when it is cut short; `size` where the file is plain.

    fastwarc ends silently in a last member of which only some bytes are there.
    """
    stream.seek(start)
    if stream.read(3) != _GZIP_MAGIC:
        return size
    stream.seek(start)
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while not decompressor.eof:
        data = decompressor.unconsumed_tail or stream.read(_WINDOW)
        if not data:
            return None
        decompressor.decompress(data, _WINDOW)
    return stream.tell() - len(decompressor.unused_data)


def _record(warc: WarcRecord, number: int, max_record_bytes: int) -> Record:
    headers = warc.headers
    length = warc.content_length
    place = Record(number, warc.stream_pos, headers.get("WARC-Target-URI"), warc.record_date)
    if headers.get("Content-Length") is None:
        return replace(place, problem=Problem(_TRUNCATED, detail="the record's own headers end early"))
    unwanted = None
    if warc.record_type != WarcRecordType.response:
        unwanted = Problem("not_a_response", detail=headers.get("WARC-Type") or "unknown")
    elif length > max_record_bytes:
        unwanted = Problem("record_too_large", length, max_record_bytes)
    block = b"" if unwanted else warc.reader.read()
    num_bytes = warc.reader.consume() if unwanted else len(block)  # what is unwanted may be too large to hold
    place = replace(place, num_payload_bytes=num_bytes)
    if num_bytes < length:
        detail = f"{num_bytes} of {length} bytes are there"
        return replace(place, problem=Problem(_TRUNCATED, length - num_bytes, 0, detail))
    return replace(place, problem=unwanted) if unwanted else _response(block, place, max_record_bytes)


def _response(block: bytes, place: Record, max_record_bytes: int) -> Record:
    head, separator, body = block.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = block.partition(b"\n\n")
    status_line, _, header_lines = head.partition(b"\n")
    match = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})", status_line)
    if not match:
        detail = status_line[:60].decode("latin-1")
        return replace(place, problem=Problem("not_what_it_claims", detail=f"no HTTP answer: {detail!r}"))
    headers = _http_headers(header_lines)
    content_type, charset = _content_type(headers.get("content-type", ""))
    answer = replace(place, http_status=int(match[1]), content_type=content_type, charset=charset)
    transfer, content = headers.get("transfer-encoding", ""), headers.get("content-encoding", "")
    try:
        return replace(answer, payload=decode_body(body, transfer, content, max_record_bytes))
    except BodyTooLargeError:
        return replace(answer, problem=Problem("record_too_large", len(body), max_record_bytes, "once decoded"))
    except BodyDecodingError as error:
        return replace(answer, problem=Problem("undecodable_body", detail=str(error)))


def _http_headers(lines: bytes) -> dict[str, str]:
    """Names in lower case; the first of a repeated header counts."""
    headers: dict[str, str] = {}
    for line in lines.decode("latin-1").splitlines():
        name, separator, value = line.partition(":")
        if separator:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


def _content_type(value: str) -> tuple[str | None, str | None]:
    kind, _, parameters = value.partition(";")
    match = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", parameters, re.IGNORECASE)
    return kind.strip().lower() or None, match[1].lower() if match else None
