"""JSON Lines: one document a line, plain, gzip or Zstandard."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pyarrow as pa

from dataprep.reading.record import Problem, Record

_CHUNK = 1 << 20


def read_jsonl(
    stream: BinaryIO, compression: str | None, max_record_bytes: int, text_field: str, url_field: str
) -> Iterator[Record]:
    """A record for every line, numbered from 0. Blank lines count, so that a number is a line's place.

    `compression` is None, `gzip` or `zstd`. A line that is no JSON object with a text comes with a problem; where
    compressed data ends early or is damaged, the last record says `unreadable_bytes`.
    """
    number, position = 0, 0
    failure: list[str] = []
    for line, length in _lines(_decompressed(stream, compression, failure), max_record_bytes):
        offset = position if compression is None else 0
        position += length
        yield _record(line, number, offset, length, max_record_bytes, text_field, url_field)
        number += 1
    if failure:
        yield Record(number, 0, problem=Problem("unreadable_bytes", detail=failure[0]))
    elif number == 0:
        yield Record(0, 0, problem=Problem("empty_file", 0))


def _decompressed(stream: BinaryIO, compression: str | None, failure: list[str]) -> Iterator[bytes]:
    """Chunks of plain bytes; what stops it early is put into `failure`, after everything readable was given."""
    if compression == "zstd":
        try:
            with pa.input_stream(stream, compression="zstd") as plain:
                while chunk := plain.read(_CHUNK):
                    yield bytes(chunk)
        except OSError as error:
            failure.append(f"damaged Zstandard data: {error}")
        return
    decompressor = None
    while chunk := stream.read(_CHUNK):
        if compression is None:
            yield chunk
            continue
        while chunk:
            decompressor = decompressor or zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                yield decompressor.decompress(chunk, _CHUNK)  # no more at once: a bomb grows a thousandfold
            except zlib.error as error:
                failure.append(f"damaged gzip data: {error}")
                return
            if decompressor.eof:
                chunk, decompressor = decompressor.unused_data.lstrip(b"\0"), None
            else:
                chunk = decompressor.unconsumed_tail
    if decompressor is not None:
        yield decompressor.flush()
        failure.append("the gzip data ends early")


def _lines(chunks: Iterator[bytes], max_record_bytes: int) -> Iterator[tuple[bytes | None, int]]:
    """(line, its bytes with the line end); the line is None when it is longer than the limit and was not kept."""
    parts: list[bytes] = []
    length = 0
    for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            length += end + 1 - start
            parts.append(chunk[start:end])
            yield (b"".join(parts) if length <= max_record_bytes + 1 else None), length
            parts, length, start = [], 0, end + 1
        length += len(chunk) - start
        if length <= max_record_bytes:
            parts.append(chunk[start:])
    if length:
        yield (b"".join(parts) if length <= max_record_bytes else None), length


def _record(
    line: bytes | None, number: int, offset: int, length: int, max_record_bytes: int, text_field: str, url_field: str
) -> Record:
    def broken(reason: str, *what: Any) -> Record:
        return Record(number, offset, num_payload_bytes=length, problem=Problem(reason, *what))

    if line is None:
        return broken("record_too_large", length, max_record_bytes)
    if not line.strip():
        return broken("blank_line")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return broken("invalid_json", None, None, str(error)[:200])
    url = value.get(url_field) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(value.get(text_field), str):
        record = broken("no_text_field", None, None, f"no string under {text_field!r}")
        return replace(record, url=_whole_unicode(url)) if isinstance(url, str) else record
    return Record(
        number,
        offset,
        url=_whole_unicode(url) if isinstance(url, str) else None,
        date=_date(value.get("date")),
        num_payload_bytes=length,
        text=_whole_unicode(value[text_field]),
    )


def _whole_unicode(text: str) -> str:
    """JSON can spell half a surrogate pair, which UTF-8 cannot: it becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _date(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
