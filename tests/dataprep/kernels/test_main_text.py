import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.kernels.main_text import blocks_of, whole_text
from dataprep.kernels.markup_layout import ELEMENT, END, LINK_BYTES, START, TAG
from dataprep.kernels.markup_tags import NAMES


def seen(markup: str | bytes) -> str:
    page = markup.encode() if isinstance(markup, str) else markup
    return whole_text(np.frombuffer(page, np.uint8).copy()).tobytes().decode("utf-8", "replace")


def blocks(markup: str) -> list[tuple[str, str, int]]:
    """(element, text, bytes of links) of each block."""
    text, found, elements = blocks_of(np.frombuffer(markup.encode(), np.uint8).copy())
    return [
        (NAMES[elements[b[ELEMENT], TAG]], text[b[START] : b[END]].tobytes().decode(), int(b[LINK_BYTES]))
        for b in found
    ]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One\n  two <b>th</b>ree</p><p>four", "One two three\n\nfour"),
        ("<h1>Title</h1>text<h2>Under</h2><p>it", "Title\n\ntext\n\nUnder\n\nit"),
        ("<ul><li>a<li><p>b</p><p>c</p></ul>", "• a\n• b\nc"),
        ("<table><tr><th>a<th>b<tr><td>1<td><p>2</table>", "a | b\n1 | 2"),
        ("x<pre>\n  a\n\tb &lt; c\n</pre>y", "x\n\n  a\n\tb < c\n\ny"),
        ("one<br>two<br><br>three", "one\ntwo\nthree"),
        ("<dl><dt>word<dd>meaning<dt>other</dl>", "word\nmeaning\nother"),
        ("a<script>if (a < b) {}</script>b<style>p{}</style>c<!-- <p>no -->d<noscript>no</noscript>e", "abcde"),
        ("a<svg><title/><text>no</text></svg>b<template><p>no</template>c<textarea>no</textarea>d", "abcd"),
        ("<p hidden>no</p>a<div aria-hidden=true>no<p>no</div>b<i style='color:red; Display : none'>?</i>", "a\nb?"),
        ("<span style='display:none'>no <b>no</b></span>a<p aria-hidden=false>b", "a\n\nb"),
        ("<title>no</title><body>yes", "yes"),
        ("<svg><path><div>out of the drawing</div>", "out of the drawing"),
        ("<div hidden><p>no</div><p>yes", "yes"),
        ("<div><video>no</div>yes", "yes"),
        ("3 < 4 <3 a<b", "3 < 4 <3 a"),
        ("a<!-->b<!--->c<!-- --!>d<!-- never closed", "abcd"),
        ("a<?php x ?>b<!doctype html>c</>d</ e>f", "abcdf"),
        ("a<p title='> \"' class=x>b", "a\n\nb"),
        ("a\x00b\x01c", "abc"),
    ],
)  # fmt: skip
def test_a_reader_sees_this(markup, text):
    assert seen(markup) == text


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("&amp;&lt;&gt;&quot;", '&<>"'),
        ("&euro;&Auml;&nGt;", "€Ä≫⃒"),
        ("&copy2 &notit; &ampx", "©2 ¬it; &x"),  # those of HTML 4 need no semicolon
        ("&nosuch; &;&", "&nosuch; &;&"),
        ("a&nbsp;b&#160;c&#xA0;d", "a b c d"),
        ("&#65;&#x42;&#x43 &#128;&#x1F600;", "ABC €😀"),
        ("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\ufffd" * 4),
        ("&#;&#x;&#xg", "&#;&#x;&#xg"),
    ],
)
def test_references_are_what_html_says(reference, text):
    assert seen(reference) == text


def test_a_block_knows_its_element_and_how_much_of_it_is_links():
    markup = "<div>See <a href=x>this</a> and <a href=y>that<p>one</a>.</div>"
    # With the space before each link: " this", " that".
    assert blocks(markup) == [("div", "See this and that", 10), ("p", "one.", 3)]


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="<&"), min_size=1)))
def test_the_words_of_a_simple_page_come_out_as_they_stand(words):
    markup = "<html><body class=x><div>" + "</p>\n<p class='a b'>".join(words) + "</div></body></html>"
    assert seen(markup).split() == words


PIECES = (
    b"<", b">", b"</", b"<!--", b"-->", b"<a ", b"<p>", b"<div", b"</div>", b"<td>", b"<table>", b"</table>",
    b"<li>", b"<ul>", b"</a>", b"<a>", b"<svg>", b"</svg>", b"<pre>", b"<br>", b"<script>", b"</script",
    b"<title/>", b"&", b"&#", b"&#x", b"&nGt;", b"&amp", b";", b"=", b"'", b'"', b" hidden", b" class=nav",
    b" style='display:none'", b"\xc2\xa0", b"\xc2", b"\xff", b"\x00", b"text ", b"\n", b"<select>", b"</select>",
    b"<button>", b"<span>", b"</span>", b"<h1>", b"/>", b"<tr>", b"<dd>", b"</p>",
)  # fmt: skip


def test_no_markup_is_too_wrong():
    chosen = random.Random(0)
    for _ in range(3000):
        page = b"".join(chosen.choices(PIECES, k=chosen.randint(0, 60)))
        text, found, elements = blocks_of(np.frombuffer(page, np.uint8).copy())
        assert all(0 <= b[START] < b[END] <= len(text) and b[ELEMENT] < len(elements) for b in found)
        assert all(b[LINK_BYTES] >= 0 for b in found)
        assert all(found[1:, START] >= found[:-1, END])
        seen(page)


@pytest.mark.parametrize(
    "page",
    [
        b"<" * 5_000_000,
        b"&" * 5_000_000,
        b"<!--" * 1_000_000,
        b"<div>" * 1_000_000 + b"x" + b"</div>" * 1_000_000,
        b"<a '" * 1_000_000,
        b"<p><span>" * 500_000 + b"</p>" * 500_000,
        b"<span><div>" + b"<label>" * 4000 + b"</span>" * 500_000,
        b"<table><tr><td>" * 4000 + b"</div></li>" * 300_000 + b"<li><td>" * 300_000,
        b"&CounterClockwiseContourIntegral" * 100_000,
        b"<script>" * 500_000,
    ],
    ids=lambda page: page[:12].decode(),
)  # fmt: skip
def test_hostile_pages_take_time_that_grows_with_their_size(page):
    import time

    whole_text(np.frombuffer(b"x", np.uint8).copy())
    started = time.process_time()
    whole_text(np.frombuffer(page, np.uint8).copy())
    assert time.process_time() - started < 5  # 0.4 s of a free core; squared, each would take minutes
