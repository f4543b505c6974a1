"""The block of a record: an answer of a server with its headers, or a body by itself."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from dataprep.reading.http_body import BodyDecodingError, BodyTooLargeError, decode_body
from dataprep.reading.record import Problem, Record

Place = tuple[int, int, str | None, datetime | None]
"""The first four fields of a Record."""

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})")
_MAX_HEAD_BYTES = 1 << 16  # in which headers are looked for; servers and browsers take 8 KiB to 256 KiB
_MAX_VALUE = 1 << 12  # characters of a header that are looked at
RIGHTS_HEADERS = ("x-robots-tag", "tdm-reservation", "link")
_WANTED = {
    name.encode(): name
    for name in ("content-type", "content-encoding", "transfer-encoding", "last-modified", *RIGHTS_HEADERS)
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)
_MONTHS = dict(zip("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), range(1, 13), strict=True))  # noqa: SIM905


class Block(NamedTuple):
    """`data[start:end]` of a record, with what the record's own header says of it."""

    data: bytes
    start: int
    end: int
    content_type: str  # as declared; empty where it is not
    truncated: str | None


def http_answer(block: Block, place: Place, max_record_bytes: int) -> Record:
    """What a server answered: status, type, charset, and the body as the server meant it."""
    data, start, end = block.data, block.start, block.end
    num_bytes = end - start
    match = _STATUS.match(data, start, end)
    if match is None:
        if block.content_type and not block.content_type.lower().startswith("application/http"):
            return plain_block(block, place)  # of another protocol: FTP
        line = data[start : min(end, start + 60)].partition(b"\n")[0].rstrip(b"\r")
        detail = f"no HTTP answer: {line.decode('latin-1')!r}"
        return Record(
            *place,
            num_payload_bytes=num_bytes,
            problem=Problem("not_what_it_claims", detail=detail),
            truncated=block.truncated,
        )
    head_end, body_start = _end_of_head(data, start, end)
    headers = _http_headers(data[match.end() : min(head_end, match.end() + _MAX_HEAD_BYTES)])
    content_type, charset = split_content_type(headers.get("content-type", ""))
    body = b""
    problem: Problem | None = None
    try:
        transfer, content = headers.get("transfer-encoding", ""), headers.get("content-encoding", "")
        body = decode_body(data[body_start:end], transfer, content, max_record_bytes)
    except BodyTooLargeError:
        problem = Problem("record_too_large", end - body_start, max_record_bytes, "once decoded")
    except BodyDecodingError as error:
        problem = Problem("undecodable_body", detail=str(error))
    modified = headers.get("last-modified")
    return Record(
        *place,
        int(match[1]),
        content_type,
        charset,
        num_bytes,
        body,
        None,
        problem,
        block.truncated,
        _http_date(modified) if modified else None,
        {name: headers[name] for name in RIGHTS_HEADERS if name in headers} or None,
    )


def plain_block(block: Block, place: Place) -> Record:
    """A body by itself: a resource, a conversion. Plain text in UTF-8 needs nobody to extract it."""
    content_type, charset = split_content_type(block.content_type)
    payload = block.data[block.start : block.end]
    text = None
    if content_type == "text/plain" and charset in (None, "utf-8", "utf8"):
        try:
            text, payload = payload.decode("utf-8-sig"), b""
        except UnicodeDecodeError:
            text = None  # its charset is to be found
    return Record(
        *place,
        content_type=content_type,
        charset=charset,
        num_payload_bytes=block.end - block.start,
        payload=payload,
        text=text,
        truncated=block.truncated,
    )


def _end_of_head(data: bytes, start: int, end: int) -> tuple[int, int]:
    """(where the HTTP headers end, where the body starts)."""
    head_end = data.find(b"\r\n\r\n", start, end)
    bare = data.find(b"\n\n", start, end if head_end < 0 else head_end)
    if bare >= 0:
        return bare, bare + 2
    return (head_end, head_end + 4) if head_end >= 0 else (end, end)


def _http_headers(lines: bytes) -> dict[str, str]:
    """Those that are wanted, names in lower case. The first of a repeated header counts; what is said of rights adds
    up."""
    values: dict[str, list[str]] = {}
    for line in lines.split(b"\n")[1:]:
        written, colon, behind = line.partition(b":")
        name = _WANTED.get(written.rstrip(b" \t").lower())
        if name is None or not colon:
            continue
        value = behind.partition(b"\r")[0].lstrip(b" \t").decode("latin-1")[:_MAX_VALUE].strip()
        if name not in values:
            values[name] = [value]
        elif name in RIGHTS_HEADERS:
            values[name].append(value)
    return {name: ", ".join(parts) for name, parts in values.items()}


def split_content_type(value: str) -> tuple[str | None, str | None]:
    """(media type, charset) of a Content-Type, both in lower case."""
    if ";" not in value:
        return value.strip().lower() or None, None
    kind, _, parameters = value.partition(";")
    match = _CHARSET.search(parameters)
    return kind.strip().lower() or None, match[1].lower() if match else None


def _http_date(value: str) -> datetime | None:
    """RFC 9110's one form that is to be written: `Sun, 06 Nov 1994 08:49:37 GMT`."""
    try:
        month = _MONTHS[value[8:11]]
        hour, minute, second = int(value[17:19]), int(value[20:22]), int(value[23:25])
        return datetime(int(value[12:16]), month, int(value[5:7]), hour, minute, second, tzinfo=UTC)
    except (KeyError, ValueError):
        return None
