"""The text of the blocks that are kept: paragraphs and headings apart, items with bullets, cells of a row on a line."""

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.markup_layout import ELEMENT, END, PARENT, START, TAG
from dataprep.kernels.markup_tags import GROUP, GROUPS, LI, TABLE, TD, TH, TR

_MAX_LEVELS = 8  # from a block up to its item or row; what is deeper is taken for text of its own
_APART = np.array(  # an empty line around
    [name in ("paragraph", "first_heading", "heading", "low_heading", "code", "quotation") for name in GROUPS]
)

MAX_BYTES_BETWEEN = 6
"""Bytes that are written before a block at most: two line ends and a bullet with its space."""


@kernel
def _item_or_row(e, elements):  # pragma: no cover - compiled
    """(item, row, cell) around an element, each 0 for none. Only the innermost of an item and a cell counts."""
    cell = 0
    for _ in range(_MAX_LEVELS):
        tag = elements[e, TAG]
        if tag == LI and cell == 0:
            return e, 0, 0
        if (tag in (TD, TH)) and cell == 0:
            cell = e
        elif tag == TR and cell:
            return 0, e, cell
        elif tag == TABLE or e == 0:
            break
        e = elements[e, PARENT]
    return 0, 0, 0


@kernel
def write_text(text, blocks, elements, is_kept, out):  # pragma: no cover - compiled
    """Write the kept blocks to `out`; the number of bytes. It has room for the text and what stands between."""
    at = 0
    last_row = last_cell = last_item = 0
    was_apart = False
    for b in range(len(blocks)):
        if not is_kept[b]:
            continue
        item, row, cell = _item_or_row(blocks[b, ELEMENT], elements)
        is_apart = _APART[GROUP[elements[blocks[b, ELEMENT], TAG]]] and not item and not row
        if at:
            if row and row == last_row and cell != last_cell:
                out[at] = 32
                out[at + 1] = 124  # |
                out[at + 2] = 32
                at += 3
            else:
                out[at] = 10
                at += 1
                if is_apart or was_apart or (row == 0) != (last_row == 0) or (item == 0) != (last_item == 0):
                    out[at] = 10
                    at += 1
        if item and item != last_item:
            out[at] = 0xE2
            out[at + 1] = 0x80
            out[at + 2] = 0xA2
            out[at + 3] = 32
            at += 4
        for i in range(blocks[b, START], blocks[b, END]):
            out[at] = text[i]
            at += 1
        last_row, last_cell, last_item, was_apart = row, cell, item, is_apart
    return at
