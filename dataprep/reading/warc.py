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


def read_warc(stream: BinaryIO, max_record_bytes: int) -> Iterator[Record]:
    """Every record of a seekable WARC stream, numbered from 0, in file order.

    Records that are not answers of a server (requests, metadata, revisits) come with a problem `not_a_response`.
    After damage, reading goes on at the next record that can be found; the bytes between become one record with the
    problem `unreadable_bytes`. A record cut short is `truncated_record`.
    """
    size = stream.seek(0, 2)
    if size == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0))
        return
    number, start = 0, 0
    while start < size:
        last, damaged = start, False
        stream.seek(start)
        try:
            for warc in ArchiveIterator(stream, parse_http=False):
                last = warc.stream_pos
                yield _record(warc, number, max_record_bytes)
                number += 1
        except OSError as error:
            damaged, message = True, str(error)
        if damaged:
            resume = _next_record(stream, last + 1, size)
            # Without a record since `start` nothing of the stretch was read; else it broke behind the last record.
            yield _unreadable(number, last, resume - last, message)
            number, start = number + 1, resume
        else:
            tail = _unread_tail(stream, last, size)
            if tail:
                yield _unreadable(number, size - tail, tail, "the file ends inside a record")
            return


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


def _unread_tail(stream: BinaryIO, last: int, size: int) -> int:
    """Bytes behind the last gzip member that was read: fastwarc ends silently in a member of a few bytes."""
    stream.seek(last)
    if stream.read(3) != _GZIP_MAGIC:
        return 0
    stream.seek(last)
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
    position = last
    while not decompressor.eof:
        data = stream.read(_WINDOW)
        if not data:
            return 0  # the member itself is cut short, which its record's length has shown
        position += len(data)
        decompressor.decompress(data)
    end = position - len(decompressor.unused_data)
    stream.seek(end)
    rest = stream.read(_WINDOW)
    return size - end if rest.strip(b"\0") else 0  # zero bytes are padding


def _record(warc: WarcRecord, number: int, max_record_bytes: int) -> Record:
    headers = warc.headers
    length = warc.content_length
    place = Record(number, warc.stream_pos, headers.get("WARC-Target-URI"), warc.record_date)
    if headers.get("Content-Length") is None:
        return replace(place, problem=Problem("truncated_record", detail="the record's own headers end early"))
    place = replace(place, num_payload_bytes=length)
    if warc.record_type != WarcRecordType.response:
        kind = headers.get("WARC-Type") or "unknown"
        if len(warc.reader.read()) < length:
            return replace(place, problem=Problem("truncated_record", detail=kind))
        return replace(place, problem=Problem("not_a_response", detail=kind))
    if length > max_record_bytes:
        return replace(place, problem=Problem("record_too_large", length, max_record_bytes))
    block = warc.reader.read()
    if len(block) < length:
        detail = f"{len(block)} of {length} bytes are there"
        return replace(place, problem=Problem("truncated_record", length - len(block), 0, detail))
    return _response(block, place, max_record_bytes)


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
