"""Characters of a page written out: whitespace collapsed (kept in `pre`), references decoded."""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_bytes import BYTE_KIND, LEAD_C2, LETTERS, MARKUP, REFERENCE, WHITE
from dataprep.kernels.markup_layout import BLOCKS, LINK_BYTES, OPEN_LINKS, OPEN_PRE, OUT, SPACE, START
from dataprep.kernels.markup_tags import (
    MAX_BARE_REFERENCE,
    REFERENCE_BYTES,
    REFERENCE_TABLE,
    WINDOWS_1252,
    key_step,
    look_up,
)


@kernel
def put(byte, out, state):  # pragma: no cover - compiled
    if state[OUT] < len(out):
        out[state[OUT]] = byte
        state[OUT] += 1


@kernel
def _put_codepoint(point, out, state):  # pragma: no cover - compiled
    if point < 0x80:
        put(np.uint8(point), out, state)
        return
    if point < 0x800:
        put(np.uint8(0xC0 | point >> 6), out, state)
    else:
        if point < 0x10000:
            put(np.uint8(0xE0 | point >> 12), out, state)
        else:
            put(np.uint8(0xF0 | point >> 18), out, state)
            put(np.uint8(0x80 | point >> 12 & 0x3F), out, state)
        put(np.uint8(0x80 | point >> 6 & 0x3F), out, state)
    put(np.uint8(0x80 | point & 0x3F), out, state)


@kernel
def flush_space(out, blocks, state):  # pragma: no cover - compiled
    """Write the space that is waiting, unless nothing or a line's end stands before it."""
    if state[SPACE]:
        state[SPACE] = 0
        if state[OUT] > blocks[state[BLOCKS], START] and out[state[OUT] - 1] != 10:
            put(np.uint8(32), out, state)


@kernel
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
        letter = LETTERS[page[end]]
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


@kernel
def _named(page, i):  # pragma: no cover - compiled
    """(value in REFERENCE_TABLE, end) of a named reference that starts at i; (0, i) when it is none."""
    n = len(page)
    key = np.uint64(0)
    end = i
    bare = np.uint64(0)
    bare_end = i
    while end < n and end - i < 32 and LETTERS[page[end]]:
        key = key_step(key, np.uint64(page[end]))
        end += 1
        if end - i <= MAX_BARE_REFERENCE:
            value = look_up(REFERENCE_TABLE, key)
            if value:
                bare = value
                bare_end = end
    if end < n and page[end] == 59:
        value = look_up(REFERENCE_TABLE, key_step(key, np.uint64(59)))
        if value:
            return value, end + 1
    return bare, bare_end


@kernel
def _reference(page, i, out, blocks, state):  # pragma: no cover - compiled
    """Write what the reference at i (its `&`) stands for; the place behind it."""
    if i + 1 < len(page) and page[i + 1] == 35:  # #
        point, end = _number(page, i + 1)
        if point == 160 or point == 32 or 9 <= point <= 13:
            state[SPACE] = 1
            return end
        if point >= 32 and point != 127:
            flush_space(out, blocks, state)
            _put_codepoint(point, out, state)
        if point >= 0:
            return end
    else:
        value, end = _named(page, i + 1)
        if value:
            start = np.int64(value >> np.uint64(8))
            length = np.int64(value & np.uint64(255))
            if length == 2 and REFERENCE_BYTES[start] == 0xC2 and REFERENCE_BYTES[start + 1] == 0xA0:
                state[SPACE] = 1
                return end
            flush_space(out, blocks, state)
            for j in range(start, start + length):
                put(REFERENCE_BYTES[j], out, state)
            return end
    flush_space(out, blocks, state)
    put(np.uint8(38), out, state)
    return i + 1


@kernel
def put_text(page, i, out, blocks, state):  # pragma: no cover - compiled
    """Write the text at i up to the next `<`; its place."""
    n = len(page)
    before = state[OUT]
    is_pre = state[OPEN_PRE] > 0
    while i < n:
        kind = BYTE_KIND[page[i]]
        if kind == 0:
            flush_space(out, blocks, state)
            at = state[OUT]
            while i < n and at < len(out) and BYTE_KIND[page[i]] == 0:
                out[at] = page[i]
                at += 1
                i += 1
            state[OUT] = at
            if at == len(out):
                break
        elif kind == MARKUP:
            break
        elif kind == WHITE:
            if is_pre:
                if page[i] != 13:
                    flush_space(out, blocks, state)
                    put(page[i], out, state)
            else:
                state[SPACE] = 1
            i += 1
        elif kind == REFERENCE:
            i = _reference(page, i, out, blocks, state)
            if is_pre and state[SPACE]:
                state[SPACE] = 0
                put(np.uint8(32), out, state)
        elif kind == LEAD_C2:
            if i + 1 < n and page[i + 1] == 0xA0:  # a space that does not break
                if is_pre:
                    put(np.uint8(32), out, state)
                else:
                    state[SPACE] = 1
                i += 2
            else:
                flush_space(out, blocks, state)
                put(page[i], out, state)
                i += 1
        else:
            i += 1
    if state[OPEN_LINKS] > 0:
        blocks[state[BLOCKS], LINK_BYTES] += max(state[OUT] - before, 0)
    return i


@kernel
def skip_text(page, i):  # pragma: no cover - compiled
    while i < len(page) and page[i] != 60:
        i += 1
    return i
