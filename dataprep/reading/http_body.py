"""The body of an HTTP answer, with its transfer and content encodings undone, within a limit."""

import re
import zlib

import pyarrow as pa

_CHUNK_SIZE = re.compile(rb"\s*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_GZIP_MAGIC = b"\x1f\x8b\x08"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_FED_FIRST, _FED_AT_ONCE = 1 << 10, 1 << 16  # bytes: what is fed behind a member's end is copied
_TEXT_WINDOW = 1024  # bytes; one in nine of compressed data is a control character
_ARROW_NAMES = {"br": "brotli", "zstd": "zstd"}


class BodyTooLargeError(Exception):
    """The decoded body is larger than the limit."""


class BodyDecodingError(Exception):
    """The body is not encoded as its headers say."""


def decode_body(body: bytes, transfer_encoding: str, content_encoding: str, max_bytes: int) -> bytes:
    """The body as the server meant it. Raises BodyTooLargeError (bombs included) and BodyDecodingError.

    Crawlers often undo an encoding and leave its header: a body that is plainly not what the header says is passed on
    as it is when it looks like markup or text.
    """
    if not transfer_encoding and not content_encoding:
        if len(body) > max_bytes:
            raise BodyTooLargeError
        return body
    if "chunked" in transfer_encoding.lower():
        body = _join_chunks(body)
    for encoding in reversed([e.strip().lower() for e in content_encoding.split(",")]):
        if encoding in ("", "identity"):
            continue
        body = _decompress(body, encoding, max_bytes)
    if len(body) > max_bytes:
        raise BodyTooLargeError
    return body


def _join_chunks(body: bytes) -> bytes:
    """RFC 9112, section 7.1. A body that does not begin with a chunk's size was joined already."""
    chunks: list[bytes] = []
    position = 0
    while match := _CHUNK_SIZE.match(body, position):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(chunks)
        chunks.append(body[match.end() : match.end() + size])
        if len(chunks[-1]) < size:
            raise BodyDecodingError(f"a chunk of {size} bytes has {len(chunks[-1])}")
        position = match.end() + size
        if body[position : position + 2] == b"\r\n":
            position += 2
    if not chunks:
        return body
    if position < len(body):
        raise BodyDecodingError(f"no chunk size at byte {position}")
    return b"".join(chunks)  # the last, empty chunk is missing; all the text is there


def _decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    if body.lstrip()[:1] == b"<":
        return body  # markup: somebody has undone the encoding
    try:
        return _decompress_as(body, encoding, max_bytes)
    except BodyDecodingError:
        if _CONTROL.search(body, 0, _TEXT_WINDOW):
            raise
        return body  # text, by its first bytes


def _decompress_as(body: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflate(body, encoding, max_bytes)
    if encoding not in _ARROW_NAMES:
        raise BodyDecodingError(f"unknown content encoding {encoding!r}")
    try:
        with pa.input_stream(pa.BufferReader(body), compression=_ARROW_NAMES[encoding]) as stream:
            data = bytes(stream.read(max_bytes + 1))
    except OSError as error:
        raise BodyDecodingError(f"not {encoding}: {error}") from error
    if len(data) > max_bytes:
        raise BodyTooLargeError
    return data


def _inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    raw_deflate = encoding == "deflate" and body[:1] != b"\x78"
    window = -zlib.MAX_WBITS if raw_deflate else zlib.MAX_WBITS | 32  # 32: zlib or gzip, as its header says
    data, view, position = bytearray(), memoryview(body), 0
    while True:  # gzip data may come in several members; what stands behind the last one is padding
        decompressor, size = zlib.decompressobj(window), _FED_FIRST
        while not decompressor.eof:
            if position >= len(body):
                raise BodyDecodingError(f"the {encoding} data ends early")
            fed = view[position : position + size]
            try:
                data += decompressor.decompress(fed, max_bytes + 1 - len(data))
            except zlib.error as error:
                raise BodyDecodingError(f"not {encoding}: {error}") from error
            if len(data) > max_bytes:
                raise BodyTooLargeError
            position += len(fed) - len(decompressor.unused_data)
            size = min(2 * size, _FED_AT_ONCE)
        if not body.startswith(_GZIP_MAGIC, position):
            return bytes(data)
