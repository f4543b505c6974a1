import pytest

from dataprep.extraction.page import ExtractConfig, check_answer, extract_page
from dataprep.reading.record import Problem


@pytest.mark.parametrize(
    ("status", "content_type", "payload", "reason"),
    [
        (200, "text/html", b"<p>x</p>", None),
        (200, None, b"<p>x</p>", None),
        (404, "text/html", b"<p>x</p>", "http_status_not_200"),
        (200, "image/png", b"x", "content_type_not_text"),
        (200, "text/html", b"\x89PNG\r\n\x1a\nxxxx", "not_what_it_claims"),
        (200, "text/html", b"\x00" * 3000, "not_what_it_claims"),
        (200, "text/html", "hello".encode("utf-16"), None),
        (200, "text/html", b" \n ", "empty_page"),
    ],
)
def test_an_answer_is_a_page_only_when_status_type_and_bytes_say_so(status, content_type, payload, reason):
    problem = check_answer(status, content_type, payload)
    assert (problem and problem.reason) == reason


def test_deep_markup_is_refused_before_it_is_parsed():
    extracted = extract_page(b"<div>" * 200_000 + b"x", "text/html", None, ExtractConfig())
    assert extracted.problem == Problem("markup_too_deep", 200_000, 1000)


def test_main_text_comes_out_and_half_a_surrogate_pair_does_not_break_it():
    page = b"<html><nav>menu</nav><main><p>Hello &#xD800; there, this is the text.</p></main></html>"
    extracted = extract_page(page, "text/html", "utf-8", ExtractConfig())
    assert "this is the text." in extracted.text
    assert "menu" not in extracted.text
    extracted.text.encode()
