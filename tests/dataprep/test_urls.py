import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.errors import DataError
from dataprep.urls import canonical_host, canonical_url, same_page_key


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://X.Example", "http://x.example/"),
        ("https://x.example:443/a", "https://x.example/a"),
        ("https://x.example:80/a", "https://x.example:80/a"),
        ("http://joe:secret@x.example./a", "http://x.example/a"),
        ("http://x.example/a?#top", "http://x.example/a"),
        ("http://x.example/a/./b/../c", "http://x.example/a/c"),
        ("http://x.example/../../a/..", "http://x.example/"),
        ("http://x.example/%7euser/%c3%a9 b%2fc", "http://x.example/~user/%C3%A9%20b%2Fc"),
        ("http://x.example/é?q=ü&r=100%", "http://x.example/%C3%A9?q=%C3%BC&r=100%25"),
        ("http://Bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://[2606:4700::1]:8080/", "http://[2606:4700::1]:8080/"),
        ("http://x.example/?b=1&a=2&utm_source=y&UTM_medium=z&fbclid=q", "http://x.example/?b=1&a=2"),
        ("  http://x.example/a\n", "http://x.example/a"),
    ],
)
def test_spellings_of_one_address_become_one(url, canonical):
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


def test_tracking_parameters_stay_when_told_so():
    assert (
        canonical_url("http://x.example/?utm_source=y&a=1", keep_tracking=True) == "http://x.example/?utm_source=y&a=1"
    )


@pytest.mark.parametrize(
    "url", ["x.example/a", "/a", "mailto:a@b.co", "http://", "http://x.example:port/", "http://[::"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(DataError, match="is no URL"):
        canonical_url(url)


def test_pages_are_the_same_on_http_and_https():
    assert same_page_key("http://X.example/a#b") == same_page_key("https://x.example:443/a") == "x.example/a"


def test_a_host_that_idna_refuses_stays():
    assert canonical_host("A_b.Example.") == "a_b.example"
    assert canonical_host("-ü-.example") == "-ü-.example"


@given(st.text("aB%2fé./?&=#u:_-[ ", max_size=30))
def test_the_canonical_form_is_final(rest):
    try:
        once = canonical_url(f"http://x.example/{rest}")
    except DataError:
        return
    assert canonical_url(once) == once
