"""One pass over a page's markup: its text, cut into blocks, and the elements around them.

    text      uint8: what a reader would see, whitespace collapsed (kept in `pre`), references decoded
    blocks    int64[:, BLOCK_FIELDS]: a stretch of text without a boundary of a block-level element
    elements  int64[:, ELEMENT_FIELDS]: block-level elements, each after its parent; 0 is the page

No tree is built and nothing is gone back over: what is open stands on a stack. Wrong markup is read as browsers read it
where that is cheap (elements that end others, stray end tags), so the time is linear in the bytes.
"""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_attributes import attributes, behind_declaration, behind_raw
from dataprep.kernels.markup_bytes import BYTE_KIND, LETTERS, WHITE
from dataprep.kernels.markup_elements import close_link, end_block, end_implied, end_tag, line_break, push
from dataprep.kernels.markup_layout import (
    BLOCK_FIELDS,
    BLOCKS,
    ELEMENT_FIELDS,
    ELEMENTS,
    LINK_BYTES,
    LINKS,
    MAX_OPEN,
    OPEN,
    OUT,
    OVER,
    SKIP,
    STACK_FIELDS,
    START,
    STATE_FIELDS,
    TAGS,
)
from dataprep.kernels.markup_tags import BLOCK, BR, HR, KIND, RAW, SKIPPED, SVG, TAG_TABLE, VOID, A, key_step, look_up
from dataprep.kernels.markup_text import flush_space, put, put_text, skip_text


@kernel
def _start_tag(page, name, end, out, blocks, elements, stack, open_of, state):  # pragma: no cover - compiled
    """Take the start tag whose name is page[name:end]; the place behind it."""
    tag = _tag(page, name, end)
    kind = KIND[tag]
    i, hints, hidden, closes_itself = attributes(page, end, kind >= SKIPPED)
    if closes_itself and open_of[SVG]:
        return i
    if kind == RAW:
        return behind_raw(page, i, name, end)
    if tag == BR:
        if state[SKIP] == 0:
            line_break(out, blocks, stack, state)
        return i
    if kind == VOID or tag == 0:
        if tag == HR and state[SKIP] == 0:
            end_block(out, blocks, stack, state)
        return i
    if kind == BLOCK:
        if open_of[SVG]:  # HTML in a drawing ends it
            end_tag(np.int64(SVG), stack, open_of, state)
        if state[SKIP] == 0:
            end_block(out, blocks, stack, state)
        end_implied(tag, stack, open_of, state)
    elif tag == A and open_of[A]:
        close_link(stack, open_of, state)
    push(tag, hints, out, blocks, elements, stack, open_of, state)
    if state[SKIP] == 0 and (kind == SKIPPED or hidden) and state[OVER] == 0:
        state[SKIP] = state[OPEN]
    return i


@kernel
def _tag(page, start, end):  # pragma: no cover - compiled
    """The number of the element whose name is page[start:end]."""
    if end - start > 10:  # blockquote, figcaption
        return 0
    key = np.uint64(0)
    for i in range(start, end):
        key = key_step(key, page[i] | np.uint8(0x20) if LETTERS[page[i]] == 2 else page[i])
    return np.int64(look_up(TAG_TABLE, key))


@kernel
def _name_end(page, i):  # pragma: no cover - compiled
    """The end of a tag's name that starts at i: i when none does."""
    if i >= len(page) or not (LETTERS[page[i]] == 1 or LETTERS[page[i]] == 2):
        return i
    while i < len(page) and page[i] != 62 and page[i] != 47 and BYTE_KIND[page[i]] != WHITE:
        i += 1
    return i


@kernel
def blocks_of(page):  # pragma: no cover - compiled
    """(text, blocks, elements) of a page in UTF-8."""
    num_marks = 0
    for byte in page:
        num_marks += byte == 60  # <
    # A row for each `<` and two more are enough. A reference can be longer than what it says by a fifth; what does not
    # fit is left out.
    out = np.empty(len(page) + len(page) // 5 + 64, np.uint8)
    blocks = np.empty((num_marks + 3, BLOCK_FIELDS), np.int64)
    elements = np.empty((num_marks + 3, ELEMENT_FIELDS), np.int64)
    state = np.zeros(STATE_FIELDS, np.int64)
    stack = np.zeros((MAX_OPEN, STACK_FIELDS), np.int64)
    open_of = np.zeros(len(KIND), np.int64)
    blocks[0, START] = 0
    blocks[0, LINK_BYTES] = 0
    blocks[0, LINKS] = 0
    elements[0] = 0
    state[ELEMENTS] = 1
    n = len(page)
    i = np.int64(0)
    while i < n:
        if page[i] != 60:  # <
            i = put_text(page, i, out, blocks, state) if state[SKIP] == 0 else skip_text(page, i)
            if state[OUT] >= len(out):
                break
            continue
        if i + 1 >= n:
            break
        following = page[i + 1]
        name = i + 2 if following == 47 else i + 1
        end = _name_end(page, name)
        if end > name:
            state[TAGS] += 1
            if following != 47:
                i = _start_tag(page, name, end, out, blocks, elements, stack, open_of, state)
                continue
            tag = _tag(page, name, end)
            i, _, _, _ = attributes(page, end, np.bool_(False))
            if KIND[tag] == BLOCK and state[SKIP] == 0:
                end_block(out, blocks, stack, state)
            end_tag(tag, stack, open_of, state)
        elif following == 47 or following == 33 or following == 63:  # / ! ?
            i = behind_declaration(page, i)
        else:
            if state[SKIP] == 0:
                flush_space(out, blocks, state)
                put(np.uint8(60), out, state)
            i += 1
    end_block(out, blocks, stack, state)
    return out, blocks[: state[BLOCKS]], elements[: state[ELEMENTS]]
