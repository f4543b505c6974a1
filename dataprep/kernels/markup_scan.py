"""One pass over a page's markup: its text, cut into blocks, and the elements around them.

    text      uint8: what a reader would see, whitespace collapsed (kept in `pre`), references decoded
    blocks    int64[:, BLOCK_FIELDS]: a stretch of text without a boundary of a block-level element
    elements  int64[:, ELEMENT_FIELDS]: block-level elements, each after its parent; 0 is the page

No tree is built and nothing is gone back over: what is open stands on a stack. Wrong markup is read as browsers read
it where that is cheap (elements that end others, stray end tags), so the time is linear in the bytes.
"""

import numpy as np
from numba import njit

from dataprep.kernels.markup_tags import (
    ARIA_HIDDEN,
    ATTRIBUTE_TABLE,
    BLOCK,
    BR,
    CLASS,
    DD,
    DIR,
    DL,
    DT,
    HIDDEN,
    HINT_TABLE,
    HR,
    ID,
    INLINE,
    KIND,
    LI,
    LISTING,
    MAX_BARE_REFERENCE,
    MENU,
    OL,
    PRE,
    RAW,
    REFERENCE_BYTES,
    REFERENCE_TABLE,
    ROLE,
    ROLE_ATTRIBUTE,
    SKIPPED,
    STYLE,
    SVG,
    TABLE,
    TAG_TABLE,
    TD,
    TH,
    TR,
    UL,
    VOID,
    WINDOWS_1252,
    A,
    P,
    key_step,
    look_up,
)

# Fields of a block. LINK_BYTES: those of links, with the space before each. BEFORE: tags since the block before it.
START, END, ELEMENT, LINK_BYTES, LINKS, BEFORE, IS_PRE, BLOCK_FIELDS = range(8)
# Fields of an element. HINTS and ROLES hold its own, ALL_HINTS and ALL_ROLES those around it, too.
PARENT, TAG, HINTS, ALL_HINTS, ALL_ROLES, DEPTH, ELEMENT_FIELDS = range(7)

MAX_OPEN = 4096
"""Elements within each other that are followed; what is deeper belongs to the last of them."""
_MAX_STEPS = 64  # up the stack for an element that something ends: more is wrong markup, and would cost time squared

# What is known at a place of the page; `state` holds it.
_OUT, _BLOCKS, _ELEMENTS, _OPEN, _OVER, _LINKS, _SKIP, _PRE, _SPACE, _TAGS, _BREAKS, _STATE = range(12)
# What is known of an open element; `stack` holds it.
_STACK_TAG, _STACK_ELEMENT, _STACK_FIELDS = range(3)

# Bytes of text: 0 stands for itself, the others need a look.
_WHITE, _MARKUP, _REFERENCE, _CONTROL, _LEAD_C2 = 1, 2, 3, 4, 5
_BYTES = np.zeros(256, np.uint8)
_BYTES[:32] = _CONTROL
_BYTES[[9, 10, 12, 13, 32]] = _WHITE
_BYTES[127] = _CONTROL
_BYTES[ord("<")] = _MARKUP
_BYTES[ord("&")] = _REFERENCE
_BYTES[0xC2] = _LEAD_C2

_LETTERS = np.zeros(256, np.uint8)  # 1: a to z; 2: A to Z; 3: 0 to 9
_LETTERS[ord("a") : ord("z") + 1] = 1
_LETTERS[ord("A") : ord("Z") + 1] = 2
_LETTERS[ord("0") : ord("9") + 1] = 3


@njit(cache=True, nogil=True)
def _put(byte, out, state):  # pragma: no cover - compiled
    if state[_OUT] < len(out):
        out[state[_OUT]] = byte
        state[_OUT] += 1


@njit(cache=True, nogil=True)
def _put_codepoint(point, out, state):  # pragma: no cover - compiled
    if point < 0x80:
        _put(np.uint8(point), out, state)
        return
    if point < 0x800:
        _put(np.uint8(0xC0 | point >> 6), out, state)
    else:
        if point < 0x10000:
            _put(np.uint8(0xE0 | point >> 12), out, state)
        else:
            _put(np.uint8(0xF0 | point >> 18), out, state)
            _put(np.uint8(0x80 | point >> 12 & 0x3F), out, state)
        _put(np.uint8(0x80 | point >> 6 & 0x3F), out, state)
    _put(np.uint8(0x80 | point & 0x3F), out, state)


@njit(cache=True, nogil=True)
def _flush_space(out, blocks, state):  # pragma: no cover - compiled
    """Write the space that is waiting, unless nothing or a line's end stands before it."""
    if state[_SPACE]:
        state[_SPACE] = 0
        if state[_OUT] > blocks[state[_BLOCKS], START] and out[state[_OUT] - 1] != 10:
            _put(np.uint8(32), out, state)


@njit(cache=True, nogil=True)
def _number(page, i):  # pragma: no cover - compiled
    """(codepoint, end) of a numeric reference whose `#` is at i; (-1, i) when it is none."""
    n = len(page)
    end = i + 1
    base = 10
    if end < n and page[end] | 0x20 == 120:  # x
        base = 16
        end += 1
    first = end
    point = 0
    while end < n:
        letter = _LETTERS[page[end]]
        digit = page[end] - 48 if letter == 3 else (page[end] | 0x20) - 87 if letter else 99
        if digit >= base:
            break
        point = min(point * base + digit, 0x110000)
        end += 1
    if end == first:
        return -1, i
    if end < n and page[end] == 59:
        end += 1
    if 128 <= point < 160:
        point = WINDOWS_1252[point - 128]
    elif point == 0 or point > 0x10FFFF or 0xD800 <= point < 0xE000:
        point = 0xFFFD
    return point, end


@njit(cache=True, nogil=True)
def _named(page, i):  # pragma: no cover - compiled
    """(value in REFERENCE_TABLE, end) of a named reference that starts at i; (0, i) when it is none."""
    n = len(page)
    key = np.uint64(0)
    end = i
    bare = np.uint64(0)
    bare_end = i
    while end < n and end - i < 32 and _LETTERS[page[end]]:
        key = key_step(key, page[end])
        end += 1
        if end - i <= MAX_BARE_REFERENCE:
            value = look_up(REFERENCE_TABLE, key)
            if value:
                bare = value
                bare_end = end
    if end < n and page[end] == 59:
        value = look_up(REFERENCE_TABLE, key_step(key, np.uint8(59)))
        if value:
            return value, end + 1
    return bare, bare_end


@njit(cache=True, nogil=True)
def _reference(page, i, out, blocks, state):  # pragma: no cover - compiled
    """Write what the reference at i (its `&`) stands for; the place behind it."""
    if i + 1 < len(page) and page[i + 1] == 35:  # #
        point, end = _number(page, i + 1)
        if point == 160 or point == 32 or 9 <= point <= 13:
            state[_SPACE] = 1
            return end
        if point >= 32 and point != 127:
            _flush_space(out, blocks, state)
            _put_codepoint(point, out, state)
        if point >= 0:
            return end
    else:
        value, end = _named(page, i + 1)
        if value:
            start = np.int64(value >> np.uint64(8))
            length = np.int64(value & np.uint64(255))
            if length == 2 and REFERENCE_BYTES[start] == 0xC2 and REFERENCE_BYTES[start + 1] == 0xA0:
                state[_SPACE] = 1
                return end
            _flush_space(out, blocks, state)
            for j in range(start, start + length):
                _put(REFERENCE_BYTES[j], out, state)
            return end
    _flush_space(out, blocks, state)
    _put(np.uint8(38), out, state)
    return i + 1


@njit(cache=True, nogil=True)
def _text(page, i, out, blocks, state):  # pragma: no cover - compiled
    """Write the text at i up to the next `<`; its place."""
    n = len(page)
    before = state[_OUT]
    is_pre = state[_PRE] > 0
    while i < n:
        kind = _BYTES[page[i]]
        if kind == 0:
            _flush_space(out, blocks, state)
            at = state[_OUT]
            while i < n and at < len(out) and _BYTES[page[i]] == 0:
                out[at] = page[i]
                at += 1
                i += 1
            state[_OUT] = at
            if at == len(out):
                break
        elif kind == _MARKUP:
            break
        elif kind == _WHITE:
            if is_pre:
                if page[i] != 13:
                    _flush_space(out, blocks, state)
                    _put(page[i], out, state)
            else:
                state[_SPACE] = 1
            i += 1
        elif kind == _REFERENCE:
            i = _reference(page, i, out, blocks, state)
            if is_pre and state[_SPACE]:
                state[_SPACE] = 0
                _put(np.uint8(32), out, state)
        elif kind == _LEAD_C2:
            if i + 1 < n and page[i + 1] == 0xA0:  # a space that does not break
                if is_pre:
                    _put(np.uint8(32), out, state)
                else:
                    state[_SPACE] = 1
                i += 2
            else:
                _flush_space(out, blocks, state)
                _put(page[i], out, state)
                i += 1
        else:
            i += 1
    if state[_LINKS] > 0:
        blocks[state[_BLOCKS], LINK_BYTES] += max(state[_OUT] - before, 0)
    return i


@njit(cache=True, nogil=True)
def _skip_text(page, i):  # pragma: no cover - compiled
    while i < len(page) and page[i] != 60:
        i += 1
    return i


@njit(cache=True, nogil=True)
def _end_block(out, blocks, stack, state):  # pragma: no cover - compiled
    """A boundary: what was written since the last one is a block, if it is anything."""
    state[_BREAKS] = 0
    number = state[_BLOCKS]
    start = blocks[number, START]
    end = state[_OUT]
    while end > start and (out[end - 1] == 32 or out[end - 1] == 10 or out[end - 1] == 9):
        end -= 1
    state[_SPACE] = 0
    state[_OUT] = end
    while start < end and out[start] == 10:  # the first line's end in `pre`
        start += 1
    if end == start or number + 1 >= len(blocks):
        blocks[number, LINK_BYTES] = 0
        blocks[number, LINKS] = 0
        state[_OUT] = blocks[number, START]
        return
    blocks[number, START] = start
    blocks[number, END] = end
    blocks[number, ELEMENT] = _element(stack, state)
    blocks[number, BEFORE] = state[_TAGS]
    blocks[number, IS_PRE] = state[_PRE] > 0
    state[_TAGS] = 0
    state[_BLOCKS] = number + 1
    blocks[number + 1, START] = end
    blocks[number + 1, LINK_BYTES] = 0
    blocks[number + 1, LINKS] = 0


@njit(cache=True, nogil=True)
def _element(stack, state):  # pragma: no cover - compiled
    """The element that is open, by its row in `elements`."""
    return stack[state[_OPEN] - 1, _STACK_ELEMENT] if state[_OPEN] else 0


@njit(cache=True, nogil=True)
def _push(tag, hints, out, blocks, elements, stack, open_of, state):  # pragma: no cover - compiled
    if state[_OPEN] >= len(stack):
        state[_OVER] += 1
        return
    element = _element(stack, state)
    if KIND[tag] == BLOCK and state[_ELEMENTS] < len(elements):
        new = state[_ELEMENTS]
        elements[new, PARENT] = element
        elements[new, TAG] = tag
        elements[new, HINTS] = hints
        elements[new, ALL_HINTS] = elements[element, ALL_HINTS] | hints
        elements[new, ALL_ROLES] = elements[element, ALL_ROLES] | ROLE[tag]
        elements[new, DEPTH] = elements[element, DEPTH] + 1
        state[_ELEMENTS] = new + 1
        element = new
    stack[state[_OPEN], _STACK_TAG] = tag
    stack[state[_OPEN], _STACK_ELEMENT] = element
    state[_OPEN] += 1
    open_of[tag] += 1
    if tag == A:
        state[_LINKS] += 1
        blocks[state[_BLOCKS], LINKS] += 1
    elif tag in (PRE, LISTING):
        state[_PRE] += 1


@njit(cache=True, nogil=True)
def _pop_to(size, stack, open_of, state):  # pragma: no cover - compiled
    """Close what is open beyond the first `size` elements."""
    while state[_OPEN] > size:
        state[_OPEN] -= 1
        tag = stack[state[_OPEN], _STACK_TAG]
        open_of[tag] -= 1
        if tag == A:
            state[_LINKS] -= 1
        elif tag in (PRE, LISTING):
            state[_PRE] -= 1
    if state[_SKIP] > state[_OPEN]:
        state[_SKIP] = 0
    state[_OVER] = 0


@njit(cache=True, nogil=True)
def _close_link(stack, open_of, state):  # pragma: no cover - compiled
    """End the link that is open, wherever its end tag stands."""
    lowest = max(state[_OPEN] - _MAX_STEPS, 0)
    at = state[_OPEN] - 1
    plain = True  # nothing but inline elements is open within it
    while at >= lowest and stack[at, _STACK_TAG] != A:
        plain = plain and KIND[stack[at, _STACK_TAG]] == INLINE
        at -= 1
    if at < lowest:
        return
    if plain or state[_SKIP] == at + 1:
        _pop_to(at, stack, open_of, state)
    else:
        stack[at, _STACK_TAG] = 0
        open_of[A] -= 1
        open_of[0] += 1
        state[_LINKS] -= 1


@njit(cache=True, nogil=True)
def _end_implied(tag, stack, open_of, state):  # pragma: no cover - compiled
    """Close what this start tag ends: a paragraph, an item, a cell."""
    if open_of[P] and tag != A:
        at = state[_OPEN] - 1
        while at > 0 and KIND[stack[at, _STACK_TAG]] == INLINE and state[_OPEN] - at < _MAX_STEPS:
            at -= 1
        if stack[at, _STACK_TAG] == P:
            _pop_to(at, stack, open_of, state)
    if tag == LI:
        first, second, third = LI, LI, LI
    elif tag in (DT, DD):
        first, second, third = DT, DD, DT
    elif tag in (TD, TH):
        first, second, third = TD, TH, TD
    elif tag == TR:
        first, second, third = TR, TR, TR
    else:
        return
    if not (open_of[first] or open_of[second] or open_of[third]):
        return
    at = state[_OPEN] - 1
    lowest = max(at - _MAX_STEPS, 0)
    while at >= lowest:
        open_tag = stack[at, _STACK_TAG]
        if open_tag in (first, second, third):
            _pop_to(at, stack, open_of, state)
            return
        if (
            open_tag in (UL, OL, MENU, DIR, DL, TABLE) or KIND[open_tag] == SKIPPED
        ):  # fmt: skip
            return
        at -= 1


@njit(cache=True, nogil=True)
def _end_tag(tag, stack, open_of, state):  # pragma: no cover - compiled
    """Close the element that this end tag ends, and what is open within it."""
    if not open_of[tag]:
        return
    if tag == A:
        _close_link(stack, open_of, state)
        return
    is_inline = KIND[tag] == INLINE
    if state[_OVER] and not is_inline:
        state[_OVER] -= 1  # which of those it ends is not known
        return
    at = state[_OPEN] - 1
    lowest = max(at - _MAX_STEPS, 0) if is_inline or tag == P else 0
    while at >= lowest and stack[at, _STACK_TAG] != tag:
        kind = KIND[stack[at, _STACK_TAG]]
        if is_inline and kind != INLINE:
            return
        if stack[at, _STACK_TAG] == TABLE:
            return  # an end tag in a table ends nothing outside of it
        at -= 1
    if at >= lowest:
        _pop_to(at, stack, open_of, state)


@njit(cache=True, nogil=True)
def hints_of(page, start, end, table):  # pragma: no cover - compiled
    """What the table says of the words in a value: runs of ASCII letters, cut before a capital after a small letter."""
    hints = np.uint64(0)
    key = np.uint64(0)
    was_small = False
    for i in range(start, end):
        letter = _LETTERS[page[i]]
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


@njit(cache=True, nogil=True)
def _is_not_displayed(page, start, end):  # pragma: no cover - compiled
    """Whether a style says `display: none`."""
    word = b"display:none"
    matched = 0
    for i in range(start, end):
        byte = page[i] | 0x20 if _LETTERS[page[i]] == 2 else page[i]
        if byte == 32:
            continue
        if byte == word[matched]:
            matched += 1
            if matched == len(word):
                return True
        else:
            matched = 1 if byte == word[0] else 0
    return False


@njit(cache=True, nogil=True)
def _attributes(page, i, is_told):  # pragma: no cover - compiled
    """(place behind the tag, hints, whether it is hidden, whether it closes itself) of a start tag's rest at i.

    What values say is looked at where `is_told`.
    """
    n = len(page)
    hints = np.int64(0)
    hidden = False
    slash = False
    while i < n and page[i] != 62:  # >
        if _BYTES[page[i]] == _WHITE or page[i] == 47 or page[i] == 61:  # / =
            slash = page[i] == 47
            i += 1
            continue
        slash = False
        key = np.uint64(0)
        while i < n and page[i] != 61 and page[i] != 62 and page[i] != 47 and _BYTES[page[i]] != _WHITE:
            key = key_step(key, page[i] | np.uint8(0x20) if _LETTERS[page[i]] == 2 else page[i])
            i += 1
        kind = np.int64(look_up(ATTRIBUTE_TABLE, key)) if is_told else 0
        if kind == HIDDEN:
            hidden = True
        while i < n and _BYTES[page[i]] == _WHITE:
            i += 1
        if i >= n or page[i] != 61:
            continue
        i += 1
        while i < n and _BYTES[page[i]] == _WHITE:
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
            while i < n and page[i] != 62 and _BYTES[page[i]] != _WHITE:
                i += 1
            end = i
        if kind in (CLASS, ID, ROLE_ATTRIBUTE):
            hints |= hints_of(page, start, end, HINT_TABLE)
        elif kind == ARIA_HIDDEN:
            hidden = hidden or (end - start == 4 and page[start] | 0x20 == 116)  # true
        elif kind == STYLE:
            hidden = hidden or _is_not_displayed(page, start, end)
    return min(i + 1, n), hints, hidden, slash


@njit(cache=True, nogil=True)
def _behind_raw(page, i, start, end):  # pragma: no cover - compiled
    """The place behind the end tag of an element without markup, whose name stands at page[start:end]."""
    n = len(page)
    length = end - start
    while i < n:
        if page[i] == 60 and i + 2 + length <= n and page[i + 1] == 47:
            j = 0
            while j < length and page[i + 2 + j] | 0x20 == page[start + j] | 0x20:
                j += 1
            if j == length and (i + 2 + length == n or _LETTERS[page[i + 2 + length]] == 0):
                i += 2 + length
                while i < n and page[i] != 62:
                    i += 1
                return min(i + 1, n)
        i += 1
    return n


@njit(cache=True, nogil=True)
def _behind_declaration(page, i):  # pragma: no cover - compiled
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


@njit(cache=True, nogil=True)
def _line_break(out, blocks, stack, state):  # pragma: no cover - compiled
    """`br`: the line ends; a second one in a row ends the block."""
    state[_SPACE] = 0
    state[_BREAKS] += 1
    at = state[_OUT]
    if at == blocks[state[_BLOCKS], START]:
        return
    if out[at - 1] == 10 and state[_PRE] == 0:
        _end_block(out, blocks, stack, state)
    else:
        _put(np.uint8(10), out, state)


@njit(cache=True, nogil=True)
def _start_tag(page, name, end, out, blocks, elements, stack, open_of, state):  # pragma: no cover - compiled
    """Take the start tag whose name is page[name:end]; the place behind it."""
    tag = _tag(page, name, end)
    kind = KIND[tag]
    i, hints, hidden, closes_itself = _attributes(page, end, kind >= SKIPPED)
    if closes_itself and open_of[SVG]:
        return i
    if kind == RAW:
        return _behind_raw(page, i, name, end)
    if tag == BR:
        if state[_SKIP] == 0:
            _line_break(out, blocks, stack, state)
        return i
    if kind == VOID or tag == 0:
        if tag == HR and state[_SKIP] == 0:
            _end_block(out, blocks, stack, state)
        return i
    if kind == BLOCK:
        if open_of[SVG]:  # HTML in a drawing ends it
            _end_tag(SVG, stack, open_of, state)
        if state[_SKIP] == 0:
            _end_block(out, blocks, stack, state)
        _end_implied(tag, stack, open_of, state)
    elif tag == A and open_of[A]:
        _close_link(stack, open_of, state)
    _push(tag, hints, out, blocks, elements, stack, open_of, state)
    if state[_SKIP] == 0 and (kind == SKIPPED or hidden) and state[_OVER] == 0:
        state[_SKIP] = state[_OPEN]
    return i


@njit(cache=True, nogil=True)
def _tag(page, start, end):  # pragma: no cover - compiled
    """The number of the element whose name is page[start:end]."""
    if end - start > 10:  # blockquote, figcaption
        return 0
    key = np.uint64(0)
    for i in range(start, end):
        key = key_step(key, page[i] | np.uint8(0x20) if _LETTERS[page[i]] == 2 else page[i])
    return np.int64(look_up(TAG_TABLE, key))


@njit(cache=True, nogil=True)
def _name_end(page, i):  # pragma: no cover - compiled
    """The end of a tag's name that starts at i: i when none does."""
    if i >= len(page) or not (_LETTERS[page[i]] == 1 or _LETTERS[page[i]] == 2):
        return i
    while i < len(page) and page[i] != 62 and page[i] != 47 and _BYTES[page[i]] != _WHITE:
        i += 1
    return i


@njit(cache=True, nogil=True)
def scan(page, out, blocks, elements):  # pragma: no cover - compiled
    """(blocks, elements) that were filled of `blocks` and `elements`; `out` takes the text.

    Rows of `blocks` and `elements`: one for each `<` and two more are enough. Bytes of `out`: a reference can be longer
    than what it says by a fifth; what does not fit is left out.
    """
    state = np.zeros(_STATE, np.int64)
    stack = np.zeros((MAX_OPEN, _STACK_FIELDS), np.int64)
    open_of = np.zeros(len(KIND), np.int64)
    blocks[0, START] = 0
    blocks[0, LINK_BYTES] = 0
    blocks[0, LINKS] = 0
    elements[0] = 0
    state[_ELEMENTS] = 1
    n = len(page)
    i = 0
    while i < n:
        if page[i] != 60:  # <
            i = _text(page, i, out, blocks, state) if state[_SKIP] == 0 else _skip_text(page, i)
            if state[_OUT] >= len(out):
                break
            continue
        if i + 1 >= n:
            break
        following = page[i + 1]
        name = i + 2 if following == 47 else i + 1
        end = _name_end(page, name)
        if end > name:
            state[_TAGS] += 1
            if following != 47:
                i = _start_tag(page, name, end, out, blocks, elements, stack, open_of, state)
                continue
            tag = _tag(page, name, end)
            i, _, _, _ = _attributes(page, end, False)
            if KIND[tag] == BLOCK and state[_SKIP] == 0:
                _end_block(out, blocks, stack, state)
            _end_tag(tag, stack, open_of, state)
        elif following == 47 or following == 33 or following == 63:  # / ! ?
            i = _behind_declaration(page, i)
        else:
            if state[_SKIP] == 0:
                _flush_space(out, blocks, state)
                _put(np.uint8(60), out, state)
            i += 1
    _end_block(out, blocks, stack, state)
    return state[_BLOCKS], state[_ELEMENTS]
