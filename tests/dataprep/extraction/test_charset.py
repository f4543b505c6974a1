import pytest

from dataprep.extraction.charset import decode


@pytest.mark.parametrize(
    ("page", "declared", "text", "charset"),
    [
        ("höflich".encode(), "utf-8", "höflich", "utf-8"),
        ("höflich".encode("latin-1"), "utf-8", "höflich", "cp1252"),  # declared wrongly: detected
        ("höflich".encode(), "iso-8859-1", "höflich", "utf-8"),  # declared wrongly the other way round
        ("한국어 문서".encode("cp949"), "euc-kr", "한국어 문서", "cp949"),
        ("日本語".encode("iso2022_jp"), "iso-2022-jp", "日本語", "iso2022_jp"),  # its bytes are all ASCII
        ("\ufeffhello".encode(), None, "hello", "utf-8"),
        ("hello".encode("utf-16"), "utf-8", "hello", "utf-16"),
        (b"plain", "no-such-charset", "plain", "utf-8"),
    ],
)
def test_the_charset_is_the_one_that_the_bytes_agree_with(page, declared, text, charset):
    assert decode(page, declared) == (text, charset)


def test_the_meta_element_is_asked_when_the_header_says_nothing():
    page = '<html><meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>привет</p>'
    text, charset = decode(page.encode("cp1251"), None)
    assert charset == "cp1251"
    assert "привет" in text


def test_bytes_in_no_charset_at_all_keep_what_can_be_read():
    text, _ = decode(b"good \x81\x8d\x8f\x90\x9d bad", "utf-8")
    assert text.startswith("good ")
