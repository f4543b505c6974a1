"""Rules about characters, as a kernel: line ends, control characters, what has no width, trailing blanks, many marks.

Each holds for what the others leave: what is removed does not part a blank from the end of its line, nor a joiner from
its letter.
"""

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import skip_printable
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edit_rules import CONTROL_CHARACTER, EXTRA_MARKS, LINE_END, TRAILING_BLANKS, ZERO_WIDTH
from dataprep.kernels.edits import Edits
from dataprep.kernels.normal_form_tables import (
    BLANK,
    COMBINING,
    CONTROL,
    INVISIBLE,
    JOINER,
    JOINS,
    LINE_BREAK,
    PICTOGRAPH,
    SUSPECT_NFC,
    SUSPECT_NFKC,
    normal_form_tables,
)
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.utf8 import decode

MAX_MARKS = 30
"""Combining marks in a row that stay (UAX #15, 13.2, Stream-Safe Text Format). No script needs as many, and sorting n
of them, as every normal form must, takes n squared: half a million would take minutes."""

_MOST_STEPS = 2 * MAX_MARKS + 4  # back over marks and what is cut among them: else a text of those takes n squared
_LINE_FEED = 0x0A
_CARRIAGE_RETURN = 0x0D
_ZERO_WIDTH_JOINER = 0x200D
_REMOVED = CONTROL | INVISIBLE | JOINER
_SUSPECT = SUSPECT_NFC | SUSPECT_NFKC
_START, _END, _RULE, _ADDED = range(4)
_NOTHING, _LINE_FEED_LENGTH = np.int64(0), np.int64(1)  # bytes in the place of an edit


def character_edits(text: pa.LargeStringArray, form: str, zero_width: bool) -> tuple[Edits, np.ndarray]:
    """What the rules about characters change in each text, and bool[texts]: whether what they leave may not be in
    `form` (NFC, NFKC or none)."""
    data, offsets = text_buffers(text)
    active = CONTROL | LINE_BREAK | (INVISIBLE | JOINER if zero_width else 0)
    active |= {"NFC": COMBINING | SUSPECT_NFC, "NFKC": COMBINING | SUSPECT_NFKC, "none": 0}[form]
    tables = normal_form_tables()
    edit_offsets, suspects = np.empty(len(offsets), np.int64), np.zeros(len(text), np.bool_)
    capacity = 1024 + (offsets[-1] - offsets[0]) // 32
    while True:
        spans = np.empty((4, capacity), np.int64)
        arguments = (data, offsets, tables.kinds, tables.forms, active, spans, edit_offsets, suspects)
        if _character_edits(*arguments):
            break
        capacity *= 4  # there are more edits than that: rare, and done again
    spans = spans[:, : edit_offsets[-1]]
    origins = np.repeat(offsets[:-1], np.diff(edit_offsets))
    added_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(spans[_ADDED])))
    added = np.full(added_offsets[-1], _LINE_FEED, np.uint8)
    starts, ends, rules = spans[_START] - origins, spans[_END] - origins, spans[_RULE].astype(np.int8)
    return Edits(edit_offsets, starts, ends, rules, added_offsets, added), suspects


@kernel
def _character_edits(data, offsets, kinds, forms, active, spans, edit_offsets, suspects):
    """Fills in the edits: `spans` int64[4, capacity] (start, end, rule, bytes of line feed in their place), with
    positions in `data`. Returns False where they do not fit into `spans`."""
    count = np.int64(0)
    edit_offsets[0] = 0
    for document in range(len(offsets) - 1):
        origin, end = offsets[document], offsets[document + 1]
        first = count
        num_marks = 0  # in a row, up to `position`
        position = origin
        while position < end:
            if count + 3 > spans.shape[1]:
                return False
            if data[position] < 0x80:
                plain = skip_printable(data, origin, position, end)
                if plain > position:
                    num_marks = 0
                    position = plain
                    continue
            if data[position] == _LINE_FEED:
                count = _cut_blanks(data, origin, position, kinds, spans, first, count)
                num_marks = 0
                position += 1
                continue
            codepoint, after = decode(data, position, end)
            kind = kinds[codepoint] & active
            if kind == 0:
                num_marks = 0
            elif kind & _REMOVED != 0:
                after, count, kept = _remove(data, origin, position, end, kinds, forms, active, spans, first, count)
                num_marks = 0 if kept else num_marks
            elif kind & LINE_BREAK != 0:
                if codepoint == _CARRIAGE_RETURN and after < end and data[after] == _LINE_FEED:
                    count = _put(spans, count, position, after, np.int64(LINE_END), _NOTHING)
                else:
                    count = _cut_blanks(data, origin, position, kinds, spans, first, count)
                    count = _put(spans, count, position, after, np.int64(LINE_END), _LINE_FEED_LENGTH)
                num_marks = 0
            else:
                num_marks = num_marks + 1 if kind & COMBINING != 0 else 0
                if num_marks <= MAX_MARKS:
                    suspects[document] |= kind & _SUSPECT != 0
                elif count > first and spans[_END, count - 1] == position and spans[_RULE, count - 1] == EXTRA_MARKS:
                    spans[_END, count - 1] = after
                else:
                    count = _put(spans, count, position, after, np.int64(EXTRA_MARKS), _NOTHING)
            position = after
        count = _cut_blanks(data, origin, end, kinds, spans, first, count)
        edit_offsets[document + 1] = count
    return True


@kernel
def _put(spans, count, start, end, rule, added):
    spans[_START, count], spans[_END, count] = start, end
    spans[_RULE, count], spans[_ADDED, count] = rule, added
    return count + 1


@kernel
def _before(data, origin, position):
    """Where the character that ends at `position` starts."""
    position -= 1
    while position > origin and data[position] & 0xC0 == 0x80:
        position -= 1
    return position


@kernel
def _forms_before(data, origin, position, kinds, forms, spans, first, count):
    """The `forms` of the last character before `position` that is not cut and no mark without a script; 0 where there
    is none within `_MOST_STEPS`."""
    for _ in range(_MOST_STEPS):
        if count > first and spans[_END, count - 1] == position:
            if spans[_ADDED, count - 1] > 0:  # a line starts here
                break
            count -= 1
            position = spans[_START, count]
            continue
        if position == origin:
            break
        start = _before(data, origin, position)
        codepoint, _ = decode(data, start, position)
        form = forms[codepoint]
        if kinds[codepoint] & COMBINING == 0 or form & (JOINS | PICTOGRAPH) != 0:
            return form
        position = start
    return np.uint8(0)


@kernel
def _cut_blanks(data, origin, position, kinds, spans, first, count):
    """Cuts the blanks before the end of a line at `position`, and with them what is cut between them already."""
    at, start, num_kept, stands = position, position, count, count
    while at > origin:
        if stands > first and spans[_END, stands - 1] == at:
            if spans[_ADDED, stands - 1] > 0:  # the line starts here
                break
            stands -= 1
            at = spans[_START, stands]
            continue
        before = _before(data, origin, at)
        if kinds[decode(data, before, at)[0]] & BLANK == 0:
            break
        at = before
        start, num_kept = at, stands
    if start == position:
        return count
    return _put(spans, num_kept, start, position, np.int64(TRAILING_BLANKS), _NOTHING)


@kernel
def _remove(data, origin, start, end, kinds, forms, active, spans, first, count):
    """Cuts the run of characters to remove that begins at `start`, but for one joiner that is needed there.

    Returns the end of the run, the number of edits, and whether a joiner was kept.
    """
    rule = np.int64(CONTROL_CHARACTER)
    joiner, non_joiner = end, end  # where the first of each stands
    position = start
    while position < end:
        codepoint, after = decode(data, position, end)
        kind = kinds[codepoint] & active
        if kind & _REMOVED == 0:
            break
        if kind & CONTROL == 0:
            rule = np.int64(ZERO_WIDTH)
        if kind & JOINER != 0:
            if codepoint == _ZERO_WIDTH_JOINER:
                joiner = min(joiner, position)
            else:
                non_joiner = min(non_joiner, position)
        position = after
    before = _forms_before(data, origin, start, kinds, forms, spans, first, count)
    behind = forms[decode(data, position, end)[0]] if position < end else 0
    if before & JOINS == 0 and before & behind & PICTOGRAPH == 0:
        joiner = end
    if before & behind & JOINS == 0:
        non_joiner = end
    kept = min(joiner, non_joiner)
    if kept == end:
        return position, _put(spans, count, start, position, rule, _NOTHING), False
    if start < kept:
        count = _put(spans, count, start, kept, rule, _NOTHING)
    after = decode(data, kept, end)[1]
    if after < position:
        count = _put(spans, count, after, position, rule, _NOTHING)
    return position, count, True
