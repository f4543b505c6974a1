import gzip
import io
import time

import pytest

from dataprep.reading.arc import read_arc

LIMIT = 1 << 16
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=latin-1\r\n\r\n<p>one</p>"


def record(url: str, block: bytes, kind: str = "text/html", length: int | None = None) -> bytes:
    return (
        f"{url} 192.0.2.7 20140216050221 {kind} {len(block) if length is None else length}\n".encode() + block + b"\n"
    )


DESCRIPTION = record(
    "filedesc://a.arc", b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n\n", "text/plain"
)
RECORDS = [DESCRIPTION, record("http://a.example/1", ANSWER), record("http://a.example/2 b", b"<p>bare</p>")]


def read(data: bytes) -> list:
    return list(read_arc(io.BytesIO(data), LIMIT))


def outcomes(data: bytes) -> list:
    return [r.problem.reason if r.problem else (r.url, r.http_status, r.payload) for r in read(data)]


WHOLE = [
    "not_a_response",
    ("http://a.example/1", 200, b"<p>one</p>"),
    ("http://a.example/2 b", None, b"<p>bare</p>"),
]


def test_a_record_says_what_its_line_and_its_answer_say():
    found = read(b"".join(RECORDS))[1]
    assert (found.number, found.offset, found.content_type, found.charset) == (
        1,
        len(DESCRIPTION),
        "text/html",
        "latin-1",
    )
    assert found.date.isoformat() == "2014-02-16T05:02:21+00:00"


def test_plain_files_and_members_of_one_record_or_many_give_the_same():
    for form in (b"".join(RECORDS), b"".join(map(gzip.compress, RECORDS)), gzip.compress(b"".join(RECORDS))):
        assert outcomes(form) == WHOLE


def test_version_two_has_more_fields_before_the_length():
    line = b"http://a.example/v2 192.0.2.7 20140216050221 text/html 200 checksum - 1234 a.arc %d\n" % len(ANSWER)
    assert outcomes(line + ANSWER + b"\n") == [("http://a.example/v2", 200, b"<p>one</p>")]


def test_a_record_that_claims_too_much_swallows_nothing():
    lying = [DESCRIPTION, record("http://a.example/lie", ANSWER, length=10**12), *RECORDS[1:]]
    assert outcomes(b"".join(lying)) == [WHOLE[0], "truncated_record", *WHOLE[1:]]


def test_junk_between_records_is_one_row():
    assert outcomes(RECORDS[0] + b"junk\nand more\n" + RECORDS[1]) == [WHOLE[0], "unreadable_bytes", WHOLE[1]]


def test_an_empty_file_is_one_row():
    assert outcomes(b"") == ["empty_file"]


def test_a_line_without_a_content_type_or_with_one_of_several_words_is_read():
    for kind in (b"", b"text/html; charset=latin-1"):
        line = b"http://a.example/k 2001:db8::7 20140216050221 %s %d \n" % (kind, len(ANSWER))
        assert outcomes(line + ANSWER + b"\n") == [("http://a.example/k", 200, b"<p>one</p>")]


@pytest.mark.parametrize(
    "line",
    [
        b"a:" + b" - 12345678" * 700 + b"\x0b\n",
        b"a:" + b" - 12345678" * 500 + b" " + b"x" * 1900 + b"\x0b\n",
        b"a: " + b":" * 7900 + b"x\n",
        b"a: - 12345678 " + b" x" * 900 + b"\x0b\n",
    ],
    ids=["dates", "dates and a long word", "colons", "words"],
)
def test_lines_that_were_made_to_be_slow_are_passed_in_a_moment(line):
    begun = time.process_time()
    assert outcomes(RECORDS[1] + line * 40 + RECORDS[2]) == [WHOLE[1], "unreadable_bytes", WHOLE[2]]
    assert time.process_time() - begun < 2.0
