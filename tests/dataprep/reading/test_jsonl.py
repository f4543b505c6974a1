import gzip
import io

import pyarrow as pa
import pytest

from dataprep.reading.fields import FieldNames
from dataprep.reading.jsonl import read_jsonl

LINES = b'{"text": "one", "url": "https://a.example/1", "date": "2026-01-02"}\n{"text": "two"}\n'


def read(data: bytes, compression: str | None = None, limit: int = 1000) -> list:
    return list(read_jsonl(io.BytesIO(data), compression, limit, FieldNames()))


def reasons(data: bytes, compression: str | None = None, limit: int = 1000) -> list[str | None]:
    return [record.problem and record.problem.reason for record in read(data, compression, limit)]


def test_every_line_is_a_document_with_its_number_and_offset():
    first, second = read(LINES)
    assert (first.number, first.offset, first.text, first.url) == (0, 0, "one", "https://a.example/1")
    assert (second.number, second.offset, second.text, second.url) == (1, LINES.index(b"\n") + 1, "two", None)
    assert first.date.isoformat() == "2026-01-02T00:00:00+00:00"


def test_the_last_line_needs_no_line_end():
    assert [record.text for record in read(LINES[:-1])] == ["one", "two"]


def test_compressed_files_give_the_same_texts():
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(LINES)
    assert [r.text for r in read(gzip.compress(LINES), "gzip")] == ["one", "two"]
    assert [r.text for r in read(gzip.compress(LINES[:70]) + gzip.compress(LINES[70:]), "gzip")] == ["one", "two"]
    assert [r.text for r in read(sink.getvalue().to_pybytes(), "zstd")] == ["one", "two"]


def test_what_is_wrong_with_a_line_is_said_and_the_others_are_read():
    data = b'{"text": "a"}\n{broken\n\n[1]\n{"text": 3}\n{"other": ""}\n\xff\xfe\n{"text": "b"}\n'
    want = [None, "invalid_json", "blank_line", "no_text_field", "no_text_field", "no_text_field", "invalid_json", None]
    assert reasons(data) == want


def test_a_line_over_the_limit_is_passed_over_without_being_kept():
    data = b'{"text": "' + b"x" * 5000 + b'"}\n{"text": "b"}\n'
    assert reasons(data, limit=100) == ["record_too_large", None]


def test_a_truncated_gzip_file_gives_what_was_readable_and_says_that_it_ends_early():
    lines = b"".join(b'{"text": "%d %s"}\n' % (i, bytes(str(hash(str(i))), "ascii") * 10) for i in range(2000))
    data = gzip.compress(lines)
    found = reasons(data[: len(data) // 2], "gzip", limit=10_000)
    assert found[-1] == "unreadable_bytes"
    assert found.count(None) > 500


def test_an_empty_file_is_one_row():
    assert reasons(b"") == ["empty_file"]


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    (record,) = read(b'{"text": "a\\ud800b"}')
    assert record.text == "a\ufffdb"


@pytest.mark.parametrize(
    ("date", "found"),
    [
        ("2026-01-02T03:04:05.6+02:00", "2026-01-02T01:04:05+00:00"),
        ("0001-01-01T00:00:00+14:00", None),  # in UTC, before the year 1
        ("9999-12-31T23:59:59-10:00", None),
    ],
)
def test_a_date_is_given_in_utc_and_none_where_that_has_no_form(date, found):
    (record,) = read(b'{"text": "a", "date": "%s"}' % date.encode())
    assert (record.text, record.date and record.date.isoformat()) == ("a", found)
