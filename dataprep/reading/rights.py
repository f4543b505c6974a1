"""What a page says of its use: robots directives, reservation of text and data mining, licence.

Sources: robots meta tags and X-Robots-Tag (developers.google.com/search/docs/crawling-indexing/robots-meta-tag), noai
and noimageai (deviantart.com, 2022), TDM Reservation Protocol (w3.org/community/reports/tdmrep), rel=license (HTML,
4.6.7.8), Dublin Core's rights and Creative Commons' cc:license.
"""

import html
import re
from typing import NamedTuple

from dataprep.kernels.rights_marks import holds_mark

_HEAD_BYTES = 1 << 14  # a head that does not end within is looked at so far
_UNENDED_HEAD_BYTES = 1 << 12  # where no end of the head is in sight
_FOOT_BYTES = 1 << 12  # where pages name their licence
_MAX_LICENCE_CHARACTERS = 300

DIRECTIVES = frozenset(
    ("noindex", "nofollow", "noarchive", "nocache", "nosnippet", "noimageindex", "notranslate", "noai", "noimageai")
)
"""Robots directives that hold something back; `none` is noindex and nofollow. The others only shape search results."""

_META = re.compile(rb"<meta\b[^>]{1,2000}>")
_LINK = re.compile(rb"<(?:a|link)\b", re.IGNORECASE)
_MAX_TAG_BYTES = 2000
_MAX_MENTIONS = 16  # of the word, of which one may be the link
_ATTRIBUTE = re.compile(rb"([a-z:-]{1,40})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_LINK_HEADER = re.compile(r"<([^<>]*)>[^<]*;\s*+rel\s*+=\s*+\"?[^\",;]*\blicense\b", re.IGNORECASE)
_LICENCE_NAMES = frozenset(
    (
        b"dc.rights",
        b"dc.rights.license",
        b"dcterms.rights",
        b"dcterms.license",
        b"dc.license",
        b"cc:license",
        b"license",
    )
)
_AGENT = re.compile(r"[a-z0-9_-]+(?:bot|ai|extended|crawler)")


class Rights(NamedTuple):
    """None where nothing is said."""

    robots: str | None = None  # directives in alphabetical order; one for a single crawler as `ccbot:noindex`
    tdm_reservation: bool | None = None
    licence: str | None = None  # an address, mostly; else the words


NOTHING_SAID = Rights()


def rights_of(payload: bytes, is_markup: bool, headers: dict[str, str] | None) -> Rights:
    """What HTTP headers (names in lower case), the page's head and its foot say. Looks at 20 KiB at most.

    A licence in the head goes before one in a header or in the foot. Pages in UTF-16 say nothing.
    """
    directives: set[str] = set()
    reserved: bool | None = None
    licence: str | None = None
    if headers is not None:
        directives |= _directives(headers.get("x-robots-tag", ""), "")
        reserved = _flag(headers.get("tdm-reservation"))
        named = _LINK_HEADER.search(headers["link"]) if "license" in headers.get("link", "") else None
        licence = named[1] if named else None
    if is_markup and payload:
        end = min(_end_of_head(payload), len(payload))
        if holds_mark(payload, end):  # most heads are passed over for want of one
            head = payload[:end]
            more, flag, found = _in_metas(head)
            directives |= more
            reserved = reserved if flag is None else flag
            licence = _linked(head, 0) or found or licence
        licence = licence or _linked(payload, max(len(payload) - _FOOT_BYTES, end))
    if not directives and reserved is None and licence is None:
        return NOTHING_SAID
    return Rights(" ".join(sorted(directives)) or None, reserved, licence)


def _end_of_head(payload: bytes) -> int:
    for mark in (b"</head", b"<body", b"</HEAD", b"<BODY"):
        end = payload.find(mark, 0, _HEAD_BYTES)
        if end >= 0:
            return end
    return _UNENDED_HEAD_BYTES


def _in_metas(head: bytes) -> tuple[set[str], bool | None, str | None]:
    directives: set[str] = set()
    reserved: bool | None = None
    licence: str | None = None
    for match in _META.finditer(head.lower()):
        attributes = _attributes(head[match.start() : match.end()])
        name = (attributes.get(b"name") or attributes.get(b"property") or b"").lower()
        content = attributes.get(b"content")
        if content is None or not name:
            continue
        if name == b"robots":
            directives |= _directives(_text(content), "")
        elif name == b"tdm-reservation":
            reserved = _flag(_text(content))
        elif name in _LICENCE_NAMES:
            licence = licence or _licence(content)
        elif _AGENT.fullmatch(agent := name.decode("latin-1")):
            directives |= _directives(_text(content), agent)
    return directives, reserved, licence


def _linked(page: bytes, position: int) -> str | None:
    """Where an element `a` or `link` of rel=license leads."""
    for _ in range(_MAX_MENTIONS):
        position = page.find(b"license", position)
        if position < 0:
            return None
        start = page.rfind(b"<", max(position - _MAX_TAG_BYTES, 0), position)
        end = page.find(b">", position, position + _MAX_TAG_BYTES)
        position += len(b"license")
        if start < 0 or end < 0 or not _LINK.match(page, start):
            continue
        attributes = _attributes(page[start : end + 1])
        if b"license" in attributes.get(b"rel", b"").lower().split() and b"href" in attributes:
            return _licence(attributes[b"href"])
    return None


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    found = _ATTRIBUTE.finditer(tag)
    return {match[1].lower(): next((part for part in match.groups()[1:] if part is not None), b"") for match in found}


def _text(value: bytes) -> str:
    return html.unescape(value.decode("utf-8", "replace"))


def _licence(value: bytes) -> str | None:
    return " ".join(_text(value).split())[:_MAX_LICENCE_CHARACTERS] or None


def _flag(value: str | None) -> bool | None:
    return {"1": True, "0": False}.get(value.strip()) if value is not None else None


def _directives(value: str, agent: str) -> set[str]:
    """Those of a list; `agent: directive` holds for one crawler, as all of a list do behind it."""
    found: set[str] = set()
    for part in value.lower().replace(";", ",").split(","):
        before, colon, behind = part.partition(":")
        if colon and _AGENT.fullmatch(before.strip()):
            agent, part = before.strip(), behind
        for word in part.split():
            names = ("noindex", "nofollow") if word == "none" else (word,)
            found.update(f"{agent}:{name}" if agent else name for name in names if name in DIRECTIVES)
    return found
