import gzip
import random
import time
import zlib
from functools import partial

import pytest

from dataprep.reading.http_body import BodyDecodingError, BodyTooLargeError, decode_body

gzipped = partial(gzip.compress, mtime=0)  # the bytes name tests: they must not change with the time of day

TEXT = b"Hello, this is text. " * 20


def decoded(body: bytes, encoding: str, limit: int = 10_000) -> bytes:
    return decode_body(body, "", encoding, limit)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(TEXT)),
        ("x-gzip", gzipped(TEXT[:100]) + gzipped(TEXT[100:])),  # RFC 1952: members follow each other
        ("gzip", gzipped(TEXT) + bytes(8)),  # padding
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),  # raw, as old servers sent it
        ("gzip, deflate", zlib.compress(gzipped(TEXT))),
        ("identity", TEXT),
    ],
)
def test_a_body_is_decoded_as_its_header_says(encoding, body):
    assert decoded(body, encoding) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "utf-8", "none", "x" * 10_000])
def test_text_whose_encoding_somebody_undid_or_that_never_had_one_is_taken_as_it_is(encoding):
    assert decoded(TEXT, encoding) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "utf-8"])
def test_bytes_that_are_neither_text_nor_what_the_header_says_are_refused(encoding):
    with pytest.raises(BodyDecodingError):
        decoded(bytes(range(256)) * 10, encoding)


def test_a_body_of_many_small_members_is_decoded_in_time_of_its_length():
    member = gzipped(b"a")
    begun = time.process_time()
    assert decoded(member * 100_000, "gzip", 100_000) == b"a" * 100_000  # 2 MB, of which no member copies the rest
    assert time.process_time() - begun < 5.0


def test_a_member_of_more_than_is_fed_at_once_is_decoded_whole_and_its_end_is_found():
    words = random.Random(0).randbytes(300_000)
    assert decoded(gzipped(words) * 2 + bytes(3), "gzip", 600_000) == words * 2
    with pytest.raises(BodyTooLargeError):
        decoded(gzipped(words) * 2, "gzip", 599_999)


def test_a_body_that_is_cut_short_is_refused():
    with pytest.raises(BodyDecodingError, match="the gzip data ends early"):
        decoded(gzipped(TEXT)[:-9], "gzip")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(bytes(10_000_000))),
        ("gzip", gzipped(bytes(6_000)) * 2),  # each member alone is within the limit
        ("gzip, gzip", gzipped(gzipped(bytes(10_000_000)))),
    ],
)
def test_a_bomb_is_stopped_at_the_limit(encoding, body):
    with pytest.raises(BodyTooLargeError):
        decoded(body, encoding)
