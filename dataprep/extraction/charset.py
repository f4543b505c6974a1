"""Which charset a page is in: what is declared counts only where the bytes agree."""

import codecs
import re

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META_WINDOW = 4096  # the standard looks at 1,024 bytes; real pages put scripts in front
_DETECTION_BYTES = 1 << 17
_BEFORE_UTF8 = ("iso2022", "hz", "utf-16")
# Browsers read these labels as their supersets (WHATWG Encoding, section 4.2).
_SUPERSETS = {"euc_kr": "cp949", "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030"}
# Not in the browsers' list, and yet met: two whose bytes are all ASCII, so that UTF-8 would take them for what they are
# not, and what the detector calls Korean.
_UNLISTED = {"iso-2022-kr": "iso2022_kr", "hz-gb-2312": "hz", "cp949": "cp949"}
_META = re.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)


def decode(page: bytes, declared: str | None) -> tuple[str, str]:
    """(text, charset) of a page: by byte order mark, then whichever of UTF-8, HTTP header, meta, detection decodes it.

    UTF-8 goes first because text in another charset is hardly ever valid UTF-8, while servers and authors often
    declare what is not so; only charsets whose bytes are all ASCII (ISO-2022, HZ) or which are UTF-16 are believed
    before. Where no charset decodes the page whole, it is UTF-8 with U+FFFD for what is wrong.
    """
    for bom, marked in _BOMS:
        if page.startswith(bom):
            return page.decode(marked, "replace"), marked.removesuffix("-sig")
    charsets = [known for name in [declared or ""] if (known := _python_name(name))]
    if not page[:_META_WINDOW].count(0):  # in UTF-16 every other byte of markup is zero
        charsets = [name for name in charsets if not name.startswith("utf-16")]
    for pattern in (_XML, _META):
        match = pattern.search(page[:_META_WINDOW])
        inside = _python_name(match[1].decode("ascii")) if match else None
        # An element that can be read as ASCII is not in UTF-16, whatever it says (WHATWG HTML, 13.2.3.2).
        if inside and not inside.startswith("utf-16"):
            charsets.append(inside)
    first = [name for name in charsets if name.startswith(_BEFORE_UTF8)]
    for charset in [*first, "utf-8", *charsets]:
        text = _strictly(page, charset)
        if text is not None:
            return text, charset
    # Not made fit for HTML5: that takes the detector's Korean, cp949, for an unknown name and says UTF-8.
    detected = _python_name(detect_encoding(page, max_len=_DETECTION_BYTES, html5_compatible=False) or "")
    if detected and (text := _strictly(page, detected)) is not None:
        return text, detected
    return page.decode("utf-8", "replace"), "utf-8"


def _strictly(page: bytes, charset: str) -> str | None:
    try:
        return page.decode(charset)
    except (UnicodeError, LookupError):
        return None


def _python_name(name: str) -> str | None:
    """The codec that browsers use for this label (WHATWG: `iso-8859-1` means windows-1252), None when unknown."""
    if not name:
        return None
    label = map_encoding_to_html5(name.strip().lower(), False)
    try:
        found = codecs.lookup(label).name if label else None
    except LookupError:
        return None
    if found is None:
        return _UNLISTED.get(name.strip().lower())
    return _SUPERSETS.get(found, found)
