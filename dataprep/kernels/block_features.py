"""What the decision about a block is made from: its text, its place, its surroundings, its neighbours.

`features` fills a row of float32 for each block, columns as FEATURES names them. Text and link density, words and
their neighbours' are those of boilerpipe (Kohlschuetter et al. 2010); sums over surrounding elements are what
readability scores candidates by.
"""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_attributes import hints_of
from dataprep.kernels.markup_layout import (
    ALL_HINTS,
    ALL_ROLES,
    BEFORE,
    DEPTH,
    ELEMENT,
    END,
    HINTS,
    IS_PRE,
    LINK_BYTES,
    LINKS,
    PARENT,
    START,
    TAG,
)
from dataprep.kernels.markup_tags import GROUP, HINT_NAMES, ROLES, SAYING_NAMES, SAYING_TABLE

# Columns of what is counted of a block, and of an element.
NUM_STATISTICS, NUM_SUMS = 8, 4
_NUM_HINTS = len(HINT_NAMES)
_NUM_ROLES = len(ROLES)

OWN = (
    "chars", "words", "word_length", "link_density", "links", "ends", "commas", "digits", "capitals", "is_closed",
    "marks", "group", "is_pre", "tags_before", "depth",
)  # fmt: skip
PLACE = (
    "block_share", "text_before", "text_after", "since_h1", "since_heading", "heading_level", "blocks",
    "chars_of_page", "link_density_of_page", "paragraph_share",
)  # fmt: skip
AROUND = [
    f"{what}_{level}"
    for level in ("own", "parent", "grandparent", "fourth")
    for what in ("chars", "link_density", "blocks", "share", "paragraphs")
]
NEIGHBOURS = [
    f"{what}_{where}"
    for where in ("before_2", "before_1", "after_1", "after_2")
    for what in ("chars", "link_density", "ends", "group")
]
MAIN = ["in_main", "main_levels", "main_share", "before_main", "after_main"]
HINT_COLUMNS = [f"{name}_{where}" for where in ("near", "all") for name in HINT_NAMES]
FEATURES = [
    *OWN,
    *PLACE,
    *AROUND,
    *NEIGHBOURS,
    *MAIN,
    *HINT_COLUMNS,
    *(f"in_{role}" for role in ROLES),
    *(f"says_{name}" for name in SAYING_NAMES),
]
MAX_SAYING_BYTES = 320
"""Longer blocks are sentences: a word in them says little about what they are."""

_PLACE_AT = len(OWN)
_AROUND_AT = _PLACE_AT + len(PLACE)
_NEIGHBOURS_AT = _AROUND_AT + len(AROUND)
_MAIN_AT = _NEIGHBOURS_AT + len(NEIGHBOURS)
_HINTS_AT = _MAIN_AT + len(MAIN)
_ROLES_AT = _HINTS_AT + len(HINT_COLUMNS)
_SAYINGS_AT = _ROLES_AT + len(ROLES)
_NUM_SAYINGS = len(SAYING_NAMES)
NUM_FEATURES = len(FEATURES)

# Classes of bytes: 1 ends a sentence, 2 comma, 3 digit, 4 capital, 5 other mark, 6 space, 8 quotation mark.
_CLASS = np.zeros(256, np.uint8)
_CLASS[[ord(c) for c in ".!?:"]] = 1
_CLASS[[ord(c) for c in ",;"]] = 2
_CLASS[ord("0") : ord("9") + 1] = 3
_CLASS[ord("A") : ord("Z") + 1] = 4
_CLASS[[ord(c) for c in "|/#@*+=<>{}[]_\\~^$%&"]] = 5
_CLASS[[9, 10, 32]] = 6
_CLASS[[ord(c) for c in "\"')"]] = 8


# Marks of three bytes, as one integer each.
_FAR_ENDS = (0xE38082, 0xEFBC81, 0xEFBC9F, 0xE280A6, 0xE0A5A4)  # ideographic stop, wide ! and ?, ellipsis, danda
_FAR_COMMAS = (0xE38081, 0xEFBC8C)
_FAR_QUOTES = (0xE28098, 0xE28099, 0xE2809C, 0xE2809D, 0xE2809E)


@kernel
def _wide_class(text, i, end):  # pragma: no cover - compiled
    """1: the character of several bytes at i ends a sentence; 2: comma; 8: quotation mark; 0: anything else."""
    if text[i] < 0xE0 or i + 2 >= end:
        return 0
    mark = np.int64(text[i]) << 16 | np.int64(text[i + 1]) << 8 | np.int64(text[i + 2])
    for one in _FAR_ENDS:
        if mark == one:
            return 1
    for one in _FAR_COMMAS:
        if mark == one:
            return 2
    for one in _FAR_QUOTES:
        if mark == one:
            return 8
    return 0


@kernel
def text_statistics(text, blocks, stats):  # pragma: no cover - compiled
    counts = np.zeros(9, np.int64)
    for b in range(len(blocks)):
        counts[:] = 0
        chars = words = capitals = last = 0
        at_start = True
        end = blocks[b, END]
        for i in range(blocks[b, START], end):
            byte = text[i]
            if 0x80 <= byte < 0xC0:
                continue
            chars += 1
            if byte >= 0x80:
                kind = _wide_class(text, i, end)
                if 0xE3 <= byte <= 0xE9:  # Kana, Han: half a word each
                    words += chars & 1
            else:
                kind = _CLASS[byte]
            counts[kind] += 1
            if kind == 6:
                at_start = True
                continue
            if kind < 7:
                last = kind
            if at_start:
                words += 1
                capitals += kind == 4
                at_start = False
        stats[b, 0] = chars
        stats[b, 1] = words
        stats[b, 2] = counts[1]
        stats[b, 3] = counts[2]
        stats[b, 4] = counts[3]
        stats[b, 5] = capitals
        stats[b, 6] = last == 1
        stats[b, 7] = counts[5]


@kernel
def element_sums(blocks, elements, stats, sums):  # pragma: no cover - compiled
    """Of each element with all within it: characters, those of links, blocks, characters of paragraphs."""
    for b in range(len(blocks)):
        e = blocks[b, ELEMENT]
        size = blocks[b, END] - blocks[b, START]
        sums[e, 0] += size
        sums[e, 1] += min(blocks[b, LINK_BYTES], size)
        sums[e, 2] += 1
        if GROUP[elements[e, TAG]] == 1 or stats[b, 2] >= 2:
            sums[e, 3] += size - min(blocks[b, LINK_BYTES], size)
    for e in range(len(elements) - 1, 0, -1):
        for k in range(4):
            sums[elements[e, PARENT], k] += sums[e, k]


@kernel
def main_element(elements, sums):  # pragma: no cover - compiled
    """The innermost element that has most of the paragraphs: where readability finds its article."""
    best = 0
    enough = 0.6 * sums[0, 3]
    for e in range(1, len(elements)):  # children come after their parents
        if sums[e, 3] >= enough and elements[e, PARENT] == best and sums[e, 2] > 1:
            best = e
    return best


@kernel
def _around(b, blocks, elements, sums, x):  # pragma: no cover - compiled
    at = _AROUND_AT
    e = blocks[b, ELEMENT]
    whole = max(sums[0, 0], 1.0)
    previous = 0.0
    near = np.int64(0)
    for level in range(4):
        # Up to the next element that holds more than the one before.
        while level > 0 and e > 0 and sums[e, 2] == previous:
            near |= elements[e, HINTS]
            e = elements[e, PARENT]
        if level < 2:
            near |= elements[e, HINTS]
        x[b, at] = np.log1p(sums[e, 0])
        x[b, at + 1] = sums[e, 1] / max(sums[e, 0], 1.0)
        x[b, at + 2] = sums[e, 2]
        x[b, at + 3] = sums[e, 0] / whole
        x[b, at + 4] = sums[e, 3] / max(sums[e, 0], 1.0)
        at += 5
        previous = sums[e, 2]
    e = blocks[b, ELEMENT]
    for k in range(_NUM_HINTS):
        x[b, _HINTS_AT + k] = near >> k & 1
        x[b, _HINTS_AT + _NUM_HINTS + k] = elements[e, ALL_HINTS] >> k & 1
    for k in range(_NUM_ROLES):
        x[b, _ROLES_AT + k] = elements[e, ALL_ROLES] >> k & 1


@kernel
def _sayings(b, text, blocks, x):  # pragma: no cover - compiled
    if blocks[b, END] - blocks[b, START] <= MAX_SAYING_BYTES:
        said = hints_of(text, blocks[b, START], blocks[b, END], SAYING_TABLE)
        for k in range(_NUM_SAYINGS):
            x[b, _SAYINGS_AT + k] = said >> k & 1


@kernel
def _own(b, blocks, elements, stats, x):  # pragma: no cover - compiled
    e = blocks[b, ELEMENT]
    words = max(stats[b, 1], 1.0)
    chars = max(stats[b, 0], 1.0)
    x[b, 0] = stats[b, 0]
    x[b, 1] = stats[b, 1]
    x[b, 2] = stats[b, 0] / words
    x[b, 3] = min(blocks[b, LINK_BYTES] / max(blocks[b, END] - blocks[b, START], 1), 1.0)
    x[b, 4] = blocks[b, LINKS]
    x[b, 5] = stats[b, 2]
    x[b, 6] = stats[b, 3] / words
    x[b, 7] = stats[b, 4] / chars
    x[b, 8] = stats[b, 5] / words
    x[b, 9] = stats[b, 6]
    x[b, 10] = stats[b, 7] / chars
    x[b, 11] = GROUP[elements[e, TAG]]
    x[b, 12] = blocks[b, IS_PRE]
    x[b, 13] = blocks[b, BEFORE]
    x[b, 14] = elements[e, DEPTH]


@kernel
def _places(blocks, elements, sums, x):  # pragma: no cover - compiled
    """Where each block stands on its page, and since which heading."""
    n = len(blocks)
    whole = max(sums[0, 0], 1.0)
    before = 0.0
    h1_at = -1
    heading_at = -1
    level = 0
    for b in range(n):
        group = GROUP[elements[blocks[b, ELEMENT], TAG]]
        if group == 2:
            h1_at = b
        if 2 <= group <= 4:
            heading_at = b
            level = group
        p = _PLACE_AT
        x[b, p] = b / n
        x[b, p + 1] = before / whole
        before += blocks[b, END] - blocks[b, START]
        x[b, p + 2] = 1 - before / whole
        x[b, p + 3] = b - h1_at if h1_at >= 0 else -1
        x[b, p + 4] = b - heading_at if heading_at >= 0 else -1
        x[b, p + 5] = level
        x[b, p + 6] = n
        x[b, p + 7] = np.log1p(whole)
        x[b, p + 8] = sums[0, 1] / whole
        x[b, p + 9] = sums[0, 3] / whole


@kernel
def _main_places(main, blocks, elements, sums, x):  # pragma: no cover - compiled
    """Where each block stands to the main element."""
    n = len(blocks)
    inside = np.zeros(len(elements), np.int64)  # 1 + levels below the main element
    inside[main] = 1
    for e in range(main + 1, len(elements)):
        if inside[elements[e, PARENT]]:
            inside[e] = inside[elements[e, PARENT]] + 1
    first = n
    last = -1
    for b in range(n):
        if inside[blocks[b, ELEMENT]]:
            first = min(first, b)
            last = b
    share = sums[main, 0] / max(sums[0, 0], 1.0)
    for b in range(n):
        levels = inside[blocks[b, ELEMENT]]
        x[b, _MAIN_AT] = levels > 0
        x[b, _MAIN_AT + 1] = levels
        x[b, _MAIN_AT + 2] = share
        x[b, _MAIN_AT + 3] = max(first - b, 0)
        x[b, _MAIN_AT + 4] = max(b - last, 0)


@kernel
def _neighbours(b, n, x):  # pragma: no cover - compiled
    p = _NEIGHBOURS_AT
    for step in (-2, -1, 1, 2):
        other = b + step
        if 0 <= other < n:
            x[b, p] = x[other, 0]
            x[b, p + 1] = x[other, 3]
            x[b, p + 2] = x[other, 5]
            x[b, p + 3] = x[other, 11]
        else:
            x[b, p : p + 4] = -1
        p += 4


@kernel
def features(text, blocks, elements, stats, sums, x):  # pragma: no cover - compiled
    """Fill x[block, feature]; the main element comes back."""
    n = len(blocks)
    text_statistics(text, blocks, stats)
    element_sums(blocks, elements, stats, sums)
    main = main_element(elements, sums)
    for b in range(n):
        _own(b, blocks, elements, stats, x)
        _around(b, blocks, elements, sums, x)
        _sayings(b, text, blocks, x)
    _places(blocks, elements, sums, x)
    _main_places(main, blocks, elements, sums, x)
    for b in range(n):
        _neighbours(b, n, x)
    return main
