"""Files that were cut, overwritten or made to do harm: what can be read is read, and nothing is lost without a row."""

import gzip
import io
import random
import tracemalloc
from itertools import accumulate

import pyarrow as pa
import pytest

from dataprep.reading.fields import FieldNames
from dataprep.reading.jsonl import read_jsonl
from dataprep.reading.warc import read_warc

LIMIT = 1 << 20


def record(number: int, num_bytes: int | None = None, kind: str = "response") -> bytes:
    words = random.Random(number).choices(["stone", "river", "house", "garden", "bread", "light"], k=60)
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{' '.join(words)}</p>".encode()
    length = len(block) if num_bytes is None else num_bytes
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://a.example/{number}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + block + b"\r\n\r\n"


RECORDS = [record(number) for number in range(5)]
MEMBERS = [gzip.compress(plain) for plain in RECORDS]
ENDS_OF_RECORD = len(b"\r\n\r\n")


def outcomes(data: bytes, limit: int = LIMIT) -> list[str]:
    found = list(read_warc(io.BytesIO(data), limit))
    assert [r.number for r in found] == list(range(len(found)))
    return [r.problem.reason if r.problem else (r.url or "?")[-1] for r in found]


def test_wherever_members_are_cut_whole_records_are_read_and_the_cut_is_seen():
    data, ends = b"".join(MEMBERS), list(accumulate(map(len, MEMBERS)))
    for cut in range(1, len(data)):
        if cut in ends:
            continue
        found = outcomes(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert found[:whole] == ["0", "1", "2", "3", "4"][:whole], cut
        assert found[-1] in ("truncated_record", "unreadable_bytes"), cut


def test_wherever_a_plain_file_is_cut_whole_records_are_read_and_the_cut_is_seen():
    data, ends = b"".join(RECORDS), list(accumulate(map(len, RECORDS)))
    for cut in range(1, len(data)):
        if any(0 <= end - cut <= ENDS_OF_RECORD for end in ends):
            continue  # nothing of a record is missing
        found = outcomes(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert found[:whole] == ["0", "1", "2", "3", "4"][:whole], cut
        assert len(found) == whole + 1 and len(found[-1]) > 1, cut  # a reason


@pytest.mark.parametrize("form", ["members", "plain"])
def test_wherever_bytes_are_overwritten_the_records_beside_are_read(form):
    parts = MEMBERS if form == "members" else RECORDS
    data, ends = b"".join(parts), list(accumulate(map(len, parts)))
    for start in range(0, len(data), 7):
        for length in (1, 40, 500):
            broken = data[:start] + bytes(length) + data[start + length :]
            found = outcomes(broken[: len(data)])
            for number, (part, end) in enumerate(zip(parts, ends, strict=True)):
                if end <= start or end - len(part) >= start + length:
                    assert str(number) in found, (start, length)


@pytest.mark.parametrize("pack", [lambda plain: plain, gzip.compress])
def test_a_record_that_claims_too_much_swallows_nothing(pack):
    lying = [record(0), record(1, num_bytes=10**15), record(2), record(3)]
    assert outcomes(b"".join(map(pack, lying))) == ["0", "truncated_record", "2", "3"]
    lying[1] = record(1, num_bytes=10**15, kind="metadata")
    assert outcomes(b"".join(map(pack, lying))) == ["0", "truncated_record", "2", "3"]


@pytest.mark.parametrize("kind", ["response", "metadata", "request"])
def test_what_is_not_wanted_is_not_held_in_memory(kind):
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Length: {200 << 20}\r\n\r\n".encode()
    data = gzip.compress(head + bytes(200 << 20) + b"\r\n\r\n", 1)
    reason = "record_too_large" if kind == "response" else "not_a_response"
    assert peak(lambda: outcomes(data)) == ([reason], pytest.approx(0, abs=20 << 20))


@pytest.mark.parametrize("pack", [bytes, lambda plain: gzip.compress(plain, 1)], ids=["plain", "one member"])
def test_the_records_of_a_long_file_are_let_go_of_once_they_are_read(pack):
    head = b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 10000\r\n\r\n"
    data = pack((head + b"x" * 10_000 + b"\r\n\r\n") * 4000)  # 40 MB

    def count():
        return sum(record.problem.reason == "not_a_response" for record in read_warc(io.BytesIO(data), LIMIT))

    assert peak(count) == (4000, pytest.approx(0, abs=12 << 20))


def peak(action):
    """(what `action` gives, the bytes that Python held at most meanwhile)."""
    tracemalloc.start()
    try:
        return action(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(("compression", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_a_bomb_of_json_lines_is_passed_over_without_being_held(compression, pack):
    data = pack(b'{"text": "' + b"a" * (100 << 20) + b'"}\n{"text": "after"}\n')

    def read():
        found = read_jsonl(io.BytesIO(data), compression, LIMIT, FieldNames())
        return [r.problem.reason if r.problem else r.text for r in found]

    assert peak(read) == (["record_too_large", "after"], pytest.approx(0, abs=20 << 20))


def test_wherever_compressed_lines_are_cut_the_lines_before_are_read_and_the_cut_is_seen():
    lines = b"".join(b'{"text": "%d"}\n' % number for number in range(300))
    data = gzip.compress(lines)
    for cut in range(1, len(data)):
        found = list(read_jsonl(io.BytesIO(data[:cut]), "gzip", LIMIT, FieldNames()))
        assert found[-1].problem is not None and found[-1].problem.reason == "unreadable_bytes", cut
        texts = [r.text for r in found if r.problem is None]
        assert texts == [str(number) for number in range(len(texts))]
