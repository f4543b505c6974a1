"""The canonical form of a URL, so that two spellings of one address are one text.

    HTTP://User@Bücher.Example.:80/a/./b/%7euser?utm_source=x&q=1#top  ->  http://xn--bcher-kva.example/a/b/~user?q=1

RFC 3986, 6.2.2 and 6.2.3: scheme and host in small letters, the host in ASCII (IDNA 2008 with UTS #46), no default
port, no trailing dot, no user name, no fragment, no dot segments, `/` for an empty path; percent-encoding in capitals,
taken away from what needs none, put where a character may not stand. Order and names of parameters stay. Parameters
that only tell where a visitor came from go, unless `keep_tracking`: that is a convention and in no standard.
"""

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

import idna

from dataprep.errors import DataError

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")
_KEPT_IN_PATH = "/:@!$&'()*+,;=~-._%"  # RFC 3986, 3.3: pchar, slash, and what is encoded already
_KEPT_IN_QUERY = _KEPT_IN_PATH + "?[]|"  # 3.4, and what browsers send as it is (WHATWG URL, query percent-encode set)

# What the services that set them document: Google Analytics and Ads, Meta, Microsoft, Mailchimp, Yandex, HubSpot.
TRACKING_PREFIXES = ("utm_",)
TRACKING_PARAMETERS = frozenset(
    ("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "igshid", "msclkid", "mc_cid", "mc_eid", "yclid", "_ga")
) | {"_gl", "_hsenc", "_hsmi"}


def canonical_url(url: str, *, keep_tracking: bool = False) -> str:
    """The canonical form of an absolute URL. Raises DataError where it has no scheme, no host or a wrong port."""
    try:
        parts = urlsplit("".join(c for c in url.strip() if c not in "\t\r\n"))
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise DataError(f"{url!r} is no URL: {error}") from error
    if not parts.scheme or not host:
        raise DataError(f"{url!r} is no URL with a scheme and a host, such as https://x.example/page")
    authority = canonical_host(host)
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        authority += f":{port}"
    path = _without_dots(_normal_escapes(parts.path, _KEPT_IN_PATH)) or "/"
    query = _normal_escapes(parts.query, _KEPT_IN_QUERY)
    if not keep_tracking and query:
        query = "&".join(parameter for parameter in query.split("&") if not _is_tracking(parameter))
    return f"{parts.scheme}://{authority}{path}" + (f"?{query}" if query else "")


def canonical_host(host: str) -> str:
    """A host in small ASCII letters without a trailing dot; IPv6 in brackets. One that IDNA refuses stays, in small
    letters: crawlers meet them."""
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{host.strip('[]')}]"
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host


def same_page_key(url: str) -> str:
    """What two URLs of one page share: the canonical form without its scheme, as sites answer on http and https."""
    return canonical_url(url).split("://", 1)[1]


def _normal_escapes(text: str, kept: str) -> str:
    def unescape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character.isascii() and (character.isalnum() or character in "-._~") else match[0].upper()

    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)  # a percent sign that escapes nothing stands for itself
    return quote(_UNRESERVED.sub(unescape, text), safe=kept)


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def _is_tracking(parameter: str) -> bool:
    name = unquote_to_bytes(parameter.split("=", 1)[0]).decode("utf-8", "replace").lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)
