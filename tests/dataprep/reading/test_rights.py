import time

import pytest

from dataprep.reading.rights import NOTHING_SAID, Rights, rights_of


def page(head: str, body: str = "") -> bytes:
    return f"<!doctype html><html><head><title>x</title>{head}</head><body>{body}</body></html>".encode()


@pytest.mark.parametrize(
    ("head", "robots"),
    [
        ('<meta name="robots" content="noindex, nofollow">', "nofollow noindex"),
        ("<META CONTENT=NOARCHIVE NAME=ROBOTS>", "noarchive"),
        ("<meta name='robots' content='index, follow, max-snippet:-1'>", None),
        (
            '<meta name="robots" content="none"><meta name="robots" content="noai,noimageai">',
            "noai nofollow noimageai noindex",
        ),
        ('<meta name="ccbot" content="nofollow">', "ccbot:nofollow"),
        ('<meta name="google-extended" content="none">', "google-extended:nofollow google-extended:noindex"),
        ('<meta name="examplecrawler" content="none">', "examplecrawler:nofollow examplecrawler:noindex"),
        ('<meta name="anthropic-ai" content="none">', "anthropic-ai:nofollow anthropic-ai:noindex"),
        ('<meta name="openai" content="nosnippet">', "openai:nosnippet"),
        ('<meta name="description" content="robots noindex">', None),
    ],
)
def test_directives_of_meta_tags(head, robots):
    assert rights_of(page(head), True, None) == Rights(robots)


@pytest.mark.parametrize(
    ("value", "robots"),
    [
        ("noindex", "noindex"),
        ("all, unavailable_after: 25 Jun 2010 15:00:00 PST", None),
        (
            "googlebot: noindex, nofollow, otherbot: noarchive",
            "googlebot:nofollow googlebot:noindex otherbot:noarchive",
        ),
    ],
)
def test_directives_of_headers(value, robots):
    assert rights_of(b"", False, {"x-robots-tag": value}) == Rights(robots)


@pytest.mark.parametrize(
    "value",
    [
        "license" + "<" * 1_000_000,
        "license" + "<>" * 500_000,
        "license<>;rel=" + " " * 1_000_000,
        "license<>" + ";" * 1_000_000,
        "license<>" + ";rel" * 250_000,
        "license<>;" + " " * 1_000_000,
    ],
    ids=["brackets", "addresses", "blanks", "semicolons", "relations", "blanks behind a semicolon"],
)
def test_headers_that_were_made_to_be_slow_are_read_in_a_moment(value):
    begun = time.process_time()
    assert rights_of(b"", False, {"link": value}) == NOTHING_SAID
    assert time.process_time() - begun < 1.0


def test_text_and_data_mining_is_reserved_by_header_or_meta_and_the_page_has_the_last_word():
    meta = '<meta name="tdm-reservation" content="1">'
    assert rights_of(page(meta), True, None) == Rights(tdm_reservation=True)
    assert rights_of(page(""), True, {"tdm-reservation": "0"}) == Rights(tdm_reservation=False)
    assert rights_of(page(meta), True, {"tdm-reservation": "0"}) == Rights(tdm_reservation=True)
    assert rights_of(page(""), True, {"tdm-reservation": "perhaps"}) == NOTHING_SAID


CC = "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("head", "body", "headers"),
    [
        (f'<link rel="license" href="{CC}">', "", None),
        (f'<meta name="DC.rights" content="{CC}">', "", None),
        (f'<meta property="cc:license" content=" {CC} ">', "", None),
        ("", f'words <a href="{CC}" rel="external license">CC BY</a>', None),
        ("", "", {"link": f'<https://a.example/x>; rel="next", <{CC}>; rel="license"'}),
    ],
)
def test_a_licence_is_found_where_pages_name_it(head, body, headers):
    assert rights_of(page(head, body), True, headers) == Rights(licence=CC)


def test_a_word_about_licences_is_none():
    assert rights_of(page("<title>license</title>", '<a href="/license">license</a>'), True, None) == NOTHING_SAID


def test_a_page_that_says_nothing_and_one_without_a_head():
    assert rights_of(page(""), True, {}) == NOTHING_SAID
    assert rights_of(b"words " * 5000, True, None) == NOTHING_SAID
    assert rights_of(b"", True, None) == NOTHING_SAID
