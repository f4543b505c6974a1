"""Charsets that are declared wrongly, and names of charsets that are none."""

import pytest

from dataprep.extraction.charset import decode

KOREAN = "대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있고, 모든 권력은 국민으로부터 나온다. "
JAPANESE = "日本国民は、正当に選挙された国会における代表者を通じて行動し、"
FRENCH = "Tous les êtres humains naissent libres et égaux en dignité et en droits. "


@pytest.mark.parametrize(
    ("text", "charset", "found"),
    [
        (KOREAN, "euc-kr", "cp949"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE, "euc-jp", "euc_jp"),
        (FRENCH, "latin-1", "cp1252"),
        ("Все люди рождаются свободными и равными в своем достоинстве. ", "koi8-r", "koi8-r"),
        ("中华人民共和国是工人阶级领导的、以工农联盟为基础的人民民主专政的社会主义国家。", "gb18030", "gb18030"),
    ],
)
@pytest.mark.parametrize("declared", ["utf-8", None, "no-such"])
def test_a_page_that_is_declared_to_be_something_else_is_detected(text, charset, found, declared):
    page = (text * 5).encode(charset)
    told, name = decode(page, declared)
    assert told == text * 5
    assert (name, told.count("\ufffd")) == (found, 0)


@pytest.mark.parametrize(
    "name", ["undefined", "punycode", "idna", "unicode_escape", "utf-7", "rot13", "zip", "a\0b", "é", "x" * 10_000]
)
def test_a_name_that_is_no_charset_of_a_page_counts_for_nothing(name):
    assert decode(FRENCH.encode("latin-1"), name) == (FRENCH, "cp1252")
    assert decode(b"plain \\u0041", name) == ("plain \\u0041", "utf-8")


@pytest.mark.parametrize("text", [KOREAN, JAPANESE, FRENCH])
def test_a_few_bad_bytes_do_not_cost_the_others(text):
    page = (text * 20).encode()
    told, charset = decode(page[:300] + b"\xff" + page[300:-1], "utf-8")
    assert charset == "utf-8"
    assert told.count("\ufffd") <= 4
    assert told.startswith(text[:40])
