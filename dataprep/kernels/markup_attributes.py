"""The inside of a tag, and what is passed over whole: elements without markup, comments and declarations."""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_bytes import BYTE_KIND, LETTERS, WHITE
from dataprep.kernels.markup_tags import (
    ARIA_HIDDEN,
    ATTRIBUTE_TABLE,
    CLASS,
    HIDDEN,
    HINT_TABLE,
    ID,
    ROLE_ATTRIBUTE,
    STYLE,
    key_step,
    look_up,
)


@kernel
def hints_of(page, start, end, table):  # pragma: no cover - compiled
    """What the table says of the words in a value: runs of ASCII letters, cut before a capital after a small letter."""
    hints = np.uint64(0)
    key = np.uint64(0)
    was_small = False
    for i in range(start, end):
        letter = LETTERS[page[i]]
        if letter == 0 or letter == 3 or (letter == 2 and was_small):
            if key:
                hints |= look_up(table, key)
            key = np.uint64(0)
        if letter == 1 or letter == 2:
            key = key_step(key, page[i] | np.uint8(0x20))
        was_small = letter == 1
    if key:
        hints |= look_up(table, key)
    return np.int64(hints)


@kernel
def _is_not_displayed(page, start, end):  # pragma: no cover - compiled
    """Whether a style says `display: none`."""
    word = b"display:none"
    matched = 0
    for i in range(start, end):
        byte = page[i] | 0x20 if LETTERS[page[i]] == 2 else page[i]
        if byte == 32:
            continue
        if byte == word[matched]:
            matched += 1
            if matched == len(word):
                return True
        else:
            matched = 1 if byte == word[0] else 0
    return False


@kernel
def attributes(page, i, is_told):  # pragma: no cover - compiled
    """(place behind the tag, hints, whether it is hidden, whether it closes itself) of a start tag's rest at i.

    What values say is looked at where `is_told`.
    """
    n = len(page)
    hints = np.int64(0)
    hidden = False
    slash = False
    while i < n and page[i] != 62:  # >
        if BYTE_KIND[page[i]] == WHITE or page[i] == 47 or page[i] == 61:  # / =
            slash = page[i] == 47
            i += 1
            continue
        slash = False
        key = np.uint64(0)
        while i < n and page[i] != 61 and page[i] != 62 and page[i] != 47 and BYTE_KIND[page[i]] != WHITE:
            key = key_step(key, page[i] | np.uint8(0x20) if LETTERS[page[i]] == 2 else page[i])
            i += 1
        kind = np.int64(look_up(ATTRIBUTE_TABLE, key)) if is_told else 0
        if kind == HIDDEN:
            hidden = True
        while i < n and BYTE_KIND[page[i]] == WHITE:
            i += 1
        if i >= n or page[i] != 61:
            continue
        i += 1
        while i < n and BYTE_KIND[page[i]] == WHITE:
            i += 1
        if i < n and (page[i] == 34 or page[i] == 39):
            quote = page[i]
            start = i + 1
            i = start
            while i < n and page[i] != quote:
                i += 1
            end = i
            i += 1
        else:
            start = i
            while i < n and page[i] != 62 and BYTE_KIND[page[i]] != WHITE:
                i += 1
            end = i
        if kind in (CLASS, ID, ROLE_ATTRIBUTE):
            hints |= hints_of(page, start, end, HINT_TABLE)
        elif kind == ARIA_HIDDEN:
            hidden = hidden or (end - start == 4 and page[start] | 0x20 == 116)  # true
        elif kind == STYLE:
            hidden = hidden or _is_not_displayed(page, start, end)
    return min(i + 1, n), hints, hidden, slash


@kernel
def behind_raw(page, i, start, end):  # pragma: no cover - compiled
    """The place behind the end tag of an element without markup, whose name stands at page[start:end]."""
    n = len(page)
    length = end - start
    while i < n:
        if page[i] == 60 and i + 2 + length <= n and page[i + 1] == 47:
            j = 0
            while j < length and page[i + 2 + j] | 0x20 == page[start + j] | 0x20:
                j += 1
            if j == length and (i + 2 + length == n or LETTERS[page[i + 2 + length]] == 0):
                i += 2 + length
                while i < n and page[i] != 62:
                    i += 1
                return min(i + 1, n)
        i += 1
    return n


@kernel
def behind_declaration(page, i):  # pragma: no cover - compiled
    """The place behind `<!...>`, `<?...>` or a comment, whose `<` is at i."""
    n = len(page)
    if page[i + 1] == 33 and i + 3 < n and page[i + 2] == 45 and page[i + 3] == 45:  # !--
        i += 4
        if i < n and page[i] == 62:
            return i + 1
        if i + 1 < n and page[i] == 45 and page[i + 1] == 62:
            return i + 2
        while i < n:
            if page[i] == 62 and page[i - 1] == 45 and page[i - 2] == 45:
                return i + 1
            if page[i] == 62 and page[i - 1] == 33 and page[i - 2] == 45 and page[i - 3] == 45:
                return i + 1
            i += 1
        return n
    while i < n and page[i] != 62:
        i += 1
    return min(i + 1, n)
