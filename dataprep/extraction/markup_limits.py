"""How deep and how large a page's markup is, before a parser is let near it.

Extraction takes time that grows with the square of the nesting: 5,000 nested `div` take 0.4 s, 200,000 take minutes.
"""

import numpy as np
from numba import njit

# Elements that never hold others, or whose end tag HTML lets authors leave out: they would count as depth for ever.
_FLAT = (
    b"area base br col embed hr img input link meta source track wbr "
    b"p li dt dd option optgroup rb rt rp tr td th thead tbody tfoot colgroup html head body"
).split()

# Leaves of drawings, written `<path .../>`. HTML's own elements do not close themselves whatever they are written like.
_SELF_CLOSING = b"path circle line rect use polygon polyline ellipse stop image g text tspan".split()


@njit("uint64(uint8[::1], int64, int64)", cache=True, nogil=True)
def _name_key(page, start, end):  # pragma: no cover - compiled
    """Up to eight lower-case ASCII letters of a tag's name as one integer; 0 when it is longer."""
    key = np.uint64(0)
    if end - start > 8:
        return key
    for i in range(start, end):
        key = (key << np.uint64(8)) | np.uint64(page[i] | 0x20)
    return key


@njit("boolean(uint8[::1], int64, uint64, uint64[::1])", cache=True, nogil=True)
def _closes_itself(page, end, key, self_closing):  # pragma: no cover - compiled
    """Whether the tag whose name ends at `end` is a drawing's leaf that ends in `/>`."""
    for name in self_closing:
        if name == key:
            while end < len(page) and page[end] != 62 and page[end] != 60:  # > <
                end += 1
            return page[end - 1] == 47
    return False


@njit("UniTuple(int64, 2)(uint8[::1], uint64[::1], uint64[::1])", cache=True, nogil=True)
def _measure(page, flat, self_closing):  # pragma: no cover - compiled
    depth = deepest = tags = 0
    i = 0
    n = len(page)
    while i < n - 1:
        if page[i] != 60:  # <
            i += 1
            continue
        closing = page[i + 1] == 47  # /
        start = i + 2 if closing else i + 1
        end = start
        while end < n and (97 <= (page[end] | 0x20) <= 122 or 48 <= page[end] <= 57):
            end += 1
        i = end
        if end == start:
            i = start
            continue
        tags += 1
        key = _name_key(page, start, end)
        nests = True
        for name in flat:
            if name == key:
                nests = False
        if not nests:
            continue
        if closing:
            depth = max(depth - 1, 0)
        elif not _closes_itself(page, end, key, self_closing):
            depth += 1
            deepest = max(deepest, depth)
    return deepest, tags


def _keys(names: list[bytes]) -> np.ndarray:
    # Longer names than eight letters have the key 0, which is no name: they count as nesting.
    return np.array([int.from_bytes(name, "big") for name in names if len(name) <= 8], np.uint64)


_FLAT_KEYS = _keys(_FLAT)
_SELF_CLOSING_KEYS = _keys(_SELF_CLOSING)


def nesting_and_tags(page: bytes) -> tuple[int, int]:
    """(deepest nesting, number of tags) of a page in any ASCII-compatible charset, by its tags alone.

    An upper estimate: elements that are opened and never closed count as nested.
    """
    # A copy: numba takes a read-only array for another type and would compile again.
    depth, tags = _measure(np.frombuffer(page, np.uint8).copy(), _FLAT_KEYS, _SELF_CLOSING_KEYS)
    return int(depth), int(tags)
