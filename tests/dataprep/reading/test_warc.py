import gzip
import io
from collections import Counter
from pathlib import Path

import pytest

from dataprep.reading.formats import ReaderConfig, read_records
from dataprep.reading.warc import read_warc

LIMIT = 1 << 20
CRAWL = Path(__file__).parents[3] / "configs/crawls/demo/corpus-000.warc.gz"


def response(url: str, body: bytes, headers: str = "Content-Type: text/html; charset=utf-8") -> bytes:
    block = f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + body
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
    return f"{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


PAGES = [response(f"https://a.example/{i}", f"<p>page {i} {'words ' * 50}</p>".encode()) for i in range(4)]
MEMBERS = [gzip.compress(page) for page in PAGES]


def read(data: bytes, limit: int = LIMIT) -> list:
    return list(read_warc(io.BytesIO(data), limit))


def outcomes(data: bytes, limit: int = LIMIT) -> list[str]:
    return [record.problem.reason if record.problem else record.url[-1] for record in read(data, limit)]


def test_a_record_knows_its_place_its_address_and_what_the_server_said():
    record = read(b"".join(MEMBERS))[2]
    assert (record.number, record.url, record.http_status) == (2, "https://a.example/2", 200)
    assert (record.content_type, record.charset) == ("text/html", "utf-8")
    assert record.offset == len(MEMBERS[0]) + len(MEMBERS[1])
    assert record.payload.startswith(b"<p>page 2")
    assert record.date.isoformat() == "2026-01-02T03:04:05+00:00"


def test_plain_files_one_member_a_record_and_one_member_for_all_give_the_same_records():
    plain = b"".join(PAGES)
    forms = (plain, b"".join(MEMBERS), gzip.compress(plain))
    for form in forms:
        assert [(r.number, r.url, r.payload) for r in read(form)] == [(r.number, r.url, r.payload) for r in read(plain)]


def test_an_empty_file_is_one_row():
    assert outcomes(b"") == ["empty_file"]


def test_a_file_that_is_no_warc_is_one_row_with_its_size():
    (record,) = read(b"\x00\x01 nothing of the kind" * 50)
    assert (record.problem.reason, record.problem.value) == ("unreadable_bytes", 1100)


@pytest.mark.parametrize("cut", [1, 5, 12, 60, 150])
def test_wherever_a_gzip_file_is_cut_the_records_before_are_read_and_the_cut_is_seen(cut):
    data = b"".join(MEMBERS[:3]) + MEMBERS[3][:cut]
    found = outcomes(data)
    assert found[:3] == ["0", "1", "2"]
    assert len(found) == 4
    assert found[3] in ("truncated_record", "unreadable_bytes")


@pytest.mark.parametrize("cut", [3, 20, 100, 200, 300])
def test_wherever_a_plain_file_is_cut_the_records_before_are_read_and_the_cut_is_seen(cut):
    found = outcomes(b"".join(PAGES[:3]) + PAGES[3][:cut])
    assert found[:3] == ["0", "1", "2"]
    assert len(found) == 4
    assert found[3] in ("truncated_record", "unreadable_bytes")


def test_damage_in_the_middle_costs_only_what_is_damaged():
    broken = bytearray(MEMBERS[1])
    broken[20:40] = b"\xff" * 20
    data = MEMBERS[0] + bytes(broken) + MEMBERS[2] + MEMBERS[3]
    assert outcomes(data) == ["0", "unreadable_bytes", "2", "3"]


def test_junk_between_two_records_is_one_row_and_no_record_is_lost():
    data = b"".join(MEMBERS[:2]) + b"junk" * 30 + b"".join(MEMBERS[2:])
    found = outcomes(data)
    assert [o for o in found if o != "unreadable_bytes"] == ["0", "1", "2", "3"]
    assert "unreadable_bytes" in found


def test_record_numbers_go_on_after_damage():
    broken = bytearray(MEMBERS[1])
    broken[20:40] = b"\xff" * 20
    assert [record.number for record in read(MEMBERS[0] + bytes(broken) + MEMBERS[2])] == [0, 1, 2]


def test_a_record_larger_than_the_limit_is_named_with_its_size():
    (record,) = read(gzip.compress(response("https://a.example/x", b"x" * 5000)), limit=4096)
    assert record.problem.reason == "record_too_large"
    assert record.problem.value > 5000
    assert record.problem.threshold == 4096


def test_a_bomb_is_stopped_at_the_limit():
    body = gzip.compress(b"a" * 10_000_000)
    (record,) = read(response("https://a.example/x", body, "Content-Encoding: gzip"), limit=100_000)
    assert (record.problem.reason, record.problem.threshold) == ("record_too_large", 100_000)


def test_a_body_that_is_not_gzip_as_claimed_is_undecodable():
    (record,) = read(response("https://a.example/x", b"\x00\x01\x02 no gzip", "Content-Encoding: gzip"))
    assert record.problem.reason == "undecodable_body"


def test_markup_whose_encoding_somebody_undid_is_taken_as_it_is():
    (record,) = read(response("https://a.example/x", b"<p>plain</p>", "Content-Encoding: gzip"))
    assert record.payload == b"<p>plain</p>"


def test_chunks_are_joined_and_a_body_joined_before_is_left_alone():
    chunked = b"5\r\n<p>ab\r\n6;x=y\r\ncd</p>\r\n0\r\n\r\n"
    (record,) = read(response("https://a.example/x", chunked, "Transfer-Encoding: chunked"))
    assert record.payload == b"<p>abcd</p>"
    (record,) = read(response("https://a.example/x", b"<p>abcd</p>", "Transfer-Encoding: chunked"))
    assert record.payload == b"<p>abcd</p>"


def test_an_answer_that_is_no_http_says_so():
    page = PAGES[0].replace(b"HTTP/1.1 200 OK", b"SMTP nonsense!!")
    assert outcomes(page) == ["not_what_it_claims"]


def test_the_demo_crawl_gives_every_record_that_its_manifest_names():
    with CRAWL.open("rb") as stream:
        records = list(read_records(stream, CRAWL.name, ReaderConfig(), 16 << 20))
    kinds = Counter(record.problem.reason if record.problem else "answer" for record in records)
    assert kinds == {"answer": 386, "not_a_response": 32}
    assert len({record.offset for record in records}) == len(records)


def record_of(kind: str, content_type: str, block: bytes, more: str = "") -> bytes:
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <https://a.example/x>\r\nContent-Type: {content_type}\r\n"
    )
    return f"{head}{more}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def test_a_revisit_says_of_what():
    more = "WARC-Refers-To-Target-URI: https://a.example/x\r\nWARC-Refers-To-Date: 2026-01-01T00:00:00Z\r\n"
    (found,) = read(record_of("revisit", "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\n\r\n", more))
    assert (found.problem.reason, found.url) == ("revisit", "https://a.example/x")
    assert found.problem.detail == "as https://a.example/x of 2026-01-01T00:00:00Z"
    (found,) = read(record_of("revisit", "application/http", b"", "WARC-Payload-Digest: sha1:ABC\r\n"))
    assert found.problem.detail == "as sha1:ABC"


def test_resources_and_conversions_are_documents_of_their_own_type():
    (page,) = read(record_of("resource", "text/html; charset=latin-1", b"<p>x</p>"))
    assert (page.content_type, page.charset, page.payload, page.http_status) == (
        "text/html",
        "latin-1",
        b"<p>x</p>",
        None,
    )
    (text,) = read(record_of("conversion", "text/plain", "HTTP/1.1 200 – is text".encode()))
    assert (text.text, text.payload) == ("HTTP/1.1 200 – is text", b"")


def test_records_without_a_page_are_told_by_their_kind():
    kinds = [("metadata", "application/json"), ("request", "application/http"), ("response", "text/dns")]
    found = [read(record_of(kind, content, b"x"))[0].problem for kind, content in kinds]
    assert [(p.reason, p.detail) for p in found] == [
        ("not_a_response", "metadata"),
        ("not_a_response", "request"),
        ("not_a_response", "response of text/dns"),
    ]


def test_what_server_and_crawler_say_beside_the_page_is_kept():
    headers = (
        "Content-Type: text/html\r\nX-Robots-Tag: noindex\r\nx-robots-tag: ccbot: noai\r\nTDM-Reservation: 1\r\n"
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"
    )
    page = response("https://a.example/x", b"<p>x</p>", headers)
    (found,) = read(page.replace(b"WARC-Type", b"WARC-Truncated: length\r\nWARC-Type"))
    assert found.truncated == "length"
    assert found.rights == {"x-robots-tag": "noindex, ccbot: noai", "tdm-reservation": "1"}
    assert found.last_modified.isoformat() == "1994-11-06T08:49:37+00:00"
    (found,) = read(response("https://a.example/x", b"<p>x</p>", "Last-Modified: yesterday"))
    assert (found.last_modified, found.rights, found.truncated) == (None, None, None)


def test_a_record_that_spans_two_members_is_one_record():
    plain = b"".join(PAGES)
    data = gzip.compress(plain[:100]) + gzip.compress(plain[100:700]) + gzip.compress(plain[700:])
    assert outcomes(data) == ["0", "1", "2", "3"]


def test_a_wrong_checksum_says_that_the_record_cannot_be_trusted():
    broken = bytearray(MEMBERS[1])
    broken[-6] ^= 1  # of the CRC-32
    (_, told, _) = read(MEMBERS[0] + bytes(broken) + MEMBERS[2])
    assert (told.problem.reason, told.url) == ("truncated_record", "https://a.example/1")
    assert "damaged gzip data" in told.problem.detail


def test_lengths_over_the_limit_are_not_believed_for_ever():
    lying = [
        response(f"https://a.example/{n % 10}", b"<p>x</p>").replace(b"Content-Length: ", b"Content-Length: 9999999")
        for n in range(40)
    ]
    assert outcomes(b"".join(lying)) == ["truncated_record"] * 40


def test_what_is_there_of_a_long_record_is_counted_though_its_length_is_no_longer_believed():
    page = b"x" * 3_000_000  # more than is held at once
    block = response("https://a.example/x", page).partition(b"\r\n\r\n")[2]
    lying = response("https://a.example/x", page).replace(b"Content-Length: ", b"Content-Length: 9")
    found = read(lying * 18, limit=4096)
    assert {record.problem.detail.partition(" of ")[0] for record in found} == {str(len(block))}


def test_a_warc_within_a_record_over_the_limit_is_none_of_its_own():
    inner = b"".join(PAGES) * 200  # a crawler that fetched somebody's WARC file
    data = response("https://a.example/0", inner, "Content-Type: application/warc") + PAGES[1]
    assert outcomes(data, limit=10_000) == ["record_too_large", "1"]
    assert outcomes(gzip.compress(data), limit=10_000) == ["record_too_large", "1"]
