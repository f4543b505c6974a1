"""The head of an HTTP answer: what is looked at, and what is not."""

import time

import pytest

from dataprep.reading.http_answer import Block, http_answer
from dataprep.reading.record import Record

LIMIT = 1 << 22
CC = "https://creativecommons.org/licenses/by/4.0/"


def answer(headers: bytes) -> Record:
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + headers + b"\r\n\r\n<p>words"
    block = Block(data, 0, len(data), "application/http; msgtype=response", None)
    return http_answer(block, (0, 0, None, None), LIMIT)


def test_what_repeated_headers_say_of_rights_adds_up_and_of_others_the_first_counts():
    links = f"Link: <https://a.example/x>; rel=next\r\nlink:<{CC}>; rel=license\r\nContent-Type: text/plain".encode()
    found = answer(links)
    assert found.content_type == "text/html"
    assert found.rights == {"link": f"<https://a.example/x>; rel=next, <{CC}>; rel=license"}


@pytest.mark.parametrize(
    "line",
    [b"X-Robots-Tag: noai\r\n", b"link:\r\n", b"link: " + b"<" * 1_000_000, b"link:" + b" " * 1_000_000],
    ids=["many directives", "many empty ones", "brackets", "blanks"],
)
def test_a_head_of_a_megabyte_is_read_in_a_moment_and_to_a_limit(line):
    begun = time.process_time()
    found = answer((line * (1_000_000 // len(line) or 1)).removesuffix(b"\r\n"))
    assert time.process_time() - begun < 1.0
    assert (found.http_status, found.content_type, found.payload) == (200, "text/html", b"<p>words")
    assert found.rights is None or all(len(value) <= 1 << 16 for value in found.rights.values())
