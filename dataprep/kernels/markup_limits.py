"""How deep and how large a page's markup is, before a parser is let near it.

Extraction takes time that grows with the square of the nesting: 5,000 nested `div` take 0.4 s, 200,000 take minutes.
"""

import numpy as np

from dataprep.kernels.blocks import BLOCK, lowest_bit, tag_starts_of_block
from dataprep.kernels.deferred import kernel

# Elements that never hold others, or whose end tag HTML lets authors leave out: they would count as depth for ever.
_FLAT = (
    b"area base br col embed hr img input link meta source track wbr "
    b"p li dt dd option optgroup rb rt rp tr td th thead tbody tfoot colgroup html head body"
).split()

# Leaves of drawings, written `<path .../>`. HTML's own elements do not close themselves whatever they are written like.
_SELF_CLOSING = b"path circle line rect use polygon polyline ellipse stop image g text tspan".split()

_IS_FLAT, _MAY_CLOSE_ITSELF = 1, 2
_MAX_NAME_BYTES = 8  # of a name that has a key; longer ones are no name of the lists, and count as nesting
_SLOT_BITS = 7
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, as Knuth has it
_LESS_THAN, _GREATER_THAN, _SLASH = 0x3C, 0x3E, 0x2F


def _table() -> np.ndarray:
    """uint64[2^_SLOT_BITS, 2]: slots of (key, kind) with linear probing; an empty slot has the key 0."""
    table = np.zeros((1 << _SLOT_BITS, 2), np.uint64)
    for names, kind in ((_FLAT, _IS_FLAT), (_SELF_CLOSING, _MAY_CLOSE_ITSELF)):
        for name in names:
            key = int.from_bytes(name, "big")
            slot = (key * int(_MULTIPLIER) & (1 << 64) - 1) >> (64 - _SLOT_BITS)
            while table[slot, 0] != 0:
                slot = (slot + 1) % len(table)
            table[slot] = key, kind
    table.flags.writeable = False
    return table


_KINDS = _table()


def nesting_and_tags(page: bytes) -> tuple[int, int]:
    """(deepest nesting, number of tags) of a page in any ASCII-compatible charset, by its tags alone.

    An upper estimate: elements that are opened and never closed count as nested.
    """
    depth, tags = _measure(np.frombuffer(page, np.uint8), _KINDS)
    return int(depth), int(tags)


@kernel
def _measure(page, kinds):
    depth, deepest, tags = 0, 0, 0
    last = len(page) - 1
    position = _next_tag(page, np.int64(0), last)
    while position < last:
        closing = page[position + 1] == _SLASH
        start = position + 2 if closing else position + 1
        end = start
        key = np.uint64(0)  # the name in small letters as one integer, where it is not too long
        while end <= last and (0x61 <= (page[end] | 0x20) <= 0x7A or 0x30 <= page[end] <= 0x39):
            key = (key << np.uint64(8)) | np.uint64(page[end] | 0x20)
            end += 1
        if end > start:
            tags += 1
            kind = _kind_of(kinds, key) if end - start <= _MAX_NAME_BYTES else np.uint64(0)
            if kind == _IS_FLAT:
                pass
            elif closing:
                depth = max(depth - 1, 0)
            elif kind != _MAY_CLOSE_ITSELF or not _closes_itself(page, end):
                depth += 1
                deepest = max(deepest, depth)
        position = _next_tag(page, end, last)
    return deepest, tags


@kernel
def _next_tag(page, position, end):
    """The first position from `position` on with a `<`, or one from `end` on."""
    while position + BLOCK <= end:
        mask = tag_starts_of_block(page, position)
        if mask != 0:
            return position + lowest_bit(mask)
        position += BLOCK
    while position < end and page[position] != _LESS_THAN:
        position += 1
    return position


@kernel
def _kind_of(kinds, key):
    """Of the name with that key; 0 for names that are in no list."""
    mask = np.uint64(len(kinds) - 1)
    slot = (key * _MULTIPLIER) >> np.uint64(64 - _SLOT_BITS)
    while kinds[slot, 0] != 0:
        if kinds[slot, 0] == key:
            return kinds[slot, 1]
        slot = (slot + np.uint64(1)) & mask
    return np.uint64(0)


@kernel
def _closes_itself(page, end):
    """Whether the tag whose name ends at `end` ends in `/>`."""
    while end < len(page) and page[end] != _GREATER_THAN and page[end] != _LESS_THAN:
        end += 1
    return page[end - 1] == _SLASH
