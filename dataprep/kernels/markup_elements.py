"""Blocks, and the stack of the elements that are open around them.

Wrong markup is read as browsers read it where that is cheap: elements that end others, stray end tags.
"""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_layout import (
    ALL_HINTS,
    ALL_ROLES,
    BEFORE,
    BLOCKS,
    DEPTH,
    ELEMENT,
    ELEMENTS,
    END,
    HINTS,
    IS_PRE,
    LINK_BYTES,
    LINKS,
    OPEN,
    OPEN_LINKS,
    OPEN_PRE,
    OUT,
    OVER,
    PARENT,
    SKIP,
    SPACE,
    STACK_ELEMENT,
    STACK_TAG,
    START,
    TAG,
    TAGS,
)
from dataprep.kernels.markup_tags import (
    BLOCK,
    DD,
    DIR,
    DL,
    DT,
    INLINE,
    KIND,
    LI,
    LISTING,
    MENU,
    OL,
    PRE,
    ROLE,
    SKIPPED,
    TABLE,
    TD,
    TH,
    TR,
    UL,
    A,
    P,
)
from dataprep.kernels.markup_text import put

_MAX_STEPS = 64  # up the stack for an element that something ends: more is wrong markup, and would cost time squared


@kernel
def end_block(out, blocks, stack, state):  # pragma: no cover - compiled
    """A boundary: what was written since the last one is a block, if it is anything."""
    number = state[BLOCKS]
    start = blocks[number, START]
    end = state[OUT]
    while end > start and (out[end - 1] == 32 or out[end - 1] == 10 or out[end - 1] == 9):
        end -= 1
    state[SPACE] = 0
    state[OUT] = end
    while start < end and out[start] == 10:  # the first line's end in `pre`
        start += 1
    if end == start or number + 1 >= len(blocks):
        blocks[number, LINK_BYTES] = 0
        blocks[number, LINKS] = 0
        state[OUT] = blocks[number, START]
        return
    blocks[number, START] = start
    blocks[number, END] = end
    blocks[number, ELEMENT] = _element(stack, state)
    blocks[number, BEFORE] = state[TAGS]
    blocks[number, IS_PRE] = state[OPEN_PRE] > 0
    state[TAGS] = 0
    state[BLOCKS] = number + 1
    blocks[number + 1, START] = end
    blocks[number + 1, LINK_BYTES] = 0
    blocks[number + 1, LINKS] = 0


@kernel
def line_break(out, blocks, stack, state):  # pragma: no cover - compiled
    """`br`: the line ends; a second one in a row ends the block."""
    state[SPACE] = 0
    at = state[OUT]
    if at == blocks[state[BLOCKS], START]:
        return
    if out[at - 1] == 10 and state[OPEN_PRE] == 0:
        end_block(out, blocks, stack, state)
    else:
        put(np.uint8(10), out, state)


@kernel
def _element(stack, state):  # pragma: no cover - compiled
    """The element that is open, by its row in `elements`."""
    return stack[state[OPEN] - 1, STACK_ELEMENT] if state[OPEN] else 0


@kernel
def push(tag, hints, out, blocks, elements, stack, open_of, state):  # pragma: no cover - compiled
    if state[OPEN] >= len(stack):
        state[OVER] += 1
        return
    element = _element(stack, state)
    if KIND[tag] == BLOCK and state[ELEMENTS] < len(elements):
        new = state[ELEMENTS]
        elements[new, PARENT] = element
        elements[new, TAG] = tag
        elements[new, HINTS] = hints
        elements[new, ALL_HINTS] = elements[element, ALL_HINTS] | hints
        elements[new, ALL_ROLES] = elements[element, ALL_ROLES] | ROLE[tag]
        elements[new, DEPTH] = elements[element, DEPTH] + 1
        state[ELEMENTS] = new + 1
        element = new
    stack[state[OPEN], STACK_TAG] = tag
    stack[state[OPEN], STACK_ELEMENT] = element
    state[OPEN] += 1
    open_of[tag] += 1
    if tag == A:
        state[OPEN_LINKS] += 1
        blocks[state[BLOCKS], LINKS] += 1
    elif tag in (PRE, LISTING):
        state[OPEN_PRE] += 1


@kernel
def _pop_to(size, stack, open_of, state):  # pragma: no cover - compiled
    """Close what is open beyond the first `size` elements."""
    while state[OPEN] > size:
        state[OPEN] -= 1
        tag = stack[state[OPEN], STACK_TAG]
        open_of[tag] -= 1
        if tag == A:
            state[OPEN_LINKS] -= 1
        elif tag in (PRE, LISTING):
            state[OPEN_PRE] -= 1
    if state[SKIP] > state[OPEN]:
        state[SKIP] = 0
    state[OVER] = 0


@kernel
def close_link(stack, open_of, state):  # pragma: no cover - compiled
    """End the link that is open, wherever its end tag stands."""
    lowest = max(state[OPEN] - _MAX_STEPS, 0)
    at = state[OPEN] - 1
    plain = True  # nothing but inline elements is open within it
    while at >= lowest and stack[at, STACK_TAG] != A:
        plain = plain and KIND[stack[at, STACK_TAG]] == INLINE
        at -= 1
    if at < lowest:
        return
    if plain or state[SKIP] == at + 1:
        _pop_to(at, stack, open_of, state)
    else:
        stack[at, STACK_TAG] = 0
        open_of[A] -= 1
        open_of[0] += 1
        state[OPEN_LINKS] -= 1


@kernel
def end_implied(tag, stack, open_of, state):  # pragma: no cover - compiled
    """Close what this start tag ends: a paragraph, an item, a cell."""
    if open_of[P] and tag != A:
        at = state[OPEN] - 1
        while at > 0 and KIND[stack[at, STACK_TAG]] == INLINE and state[OPEN] - at < _MAX_STEPS:
            at -= 1
        if stack[at, STACK_TAG] == P:
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
    at = state[OPEN] - 1
    lowest = max(at - _MAX_STEPS, 0)
    while at >= lowest:
        open_tag = stack[at, STACK_TAG]
        if open_tag in (first, second, third):
            _pop_to(at, stack, open_of, state)
            return
        if (
            open_tag in (UL, OL, MENU, DIR, DL, TABLE) or KIND[open_tag] == SKIPPED
        ):  # fmt: skip
            return
        at -= 1


@kernel
def end_tag(tag, stack, open_of, state):  # pragma: no cover - compiled
    """Close the element that this end tag ends, and what is open within it."""
    if not open_of[tag]:
        return
    if tag == A:
        close_link(stack, open_of, state)
        return
    is_inline = KIND[tag] == INLINE
    if state[OVER] and not is_inline:
        state[OVER] -= 1  # which of those it ends is not known
        return
    at = state[OPEN] - 1
    lowest = max(at - _MAX_STEPS, 0) if is_inline or tag == P else 0
    while at >= lowest and stack[at, STACK_TAG] != tag:
        kind = KIND[stack[at, STACK_TAG]]
        if is_inline and kind != INLINE:
            return
        if stack[at, STACK_TAG] == TABLE:
            return  # an end tag in a table ends nothing outside of it
        at -= 1
    if at >= lowest:
        _pop_to(at, stack, open_of, state)
