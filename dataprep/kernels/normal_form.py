"""Unicode normal forms (UAX #15) as edits: a kernel finds what is not in the form, and that alone is normalised.

The text is parted before every character of combining class 0 that is sure to be in the form and to join nothing before
it. Of these parts, those with a sign of not being in the form go to `unicodedata`, all of a batch in one call.
"""

import unicodedata
from typing import Literal

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import skip_ascii
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edit_rules import NORMAL_FORM
from dataprep.kernels.edits import Edits, read_only
from dataprep.kernels.normal_form_tables import (
    COMPOSITE,
    MAYBE,
    NOT_NFC,
    NOT_NFKC,
    SUSPECT_NFC,
    SUSPECT_NFKC,
    normal_form_tables,
)
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.utf8 import decode

_LINE_FEED = 0x0A


def normal_form_edits(text: pa.LargeStringArray, form: Literal["NFC", "NFKC"], suspects: np.ndarray) -> Edits:
    """What brings each text into the form; those that `suspects` (bool[texts]) leaves out are in it."""
    data, offsets = text_buffers(text)
    signs = (SUSPECT_NFC, NOT_NFC) if form == "NFC" else (SUSPECT_NFKC, NOT_NFKC)
    part_offsets = np.empty(len(offsets), np.int64)
    capacity = 1024 + (offsets[-1] - offsets[0]) // 32
    while True:
        parts = np.empty((2, capacity), np.int64)
        if _parts(data, offsets, read_only(suspects), *normal_form_tables(), *signs, parts, part_offsets):
            break
        capacity *= 4  # there are more parts than that: rare, and done again
    starts, ends = parts[:, : part_offsets[-1]]
    normal, normal_offsets = _normalised(data, read_only(starts), read_only(ends), form)
    changed = np.empty(len(starts), np.bool_)
    _compare(data, read_only(starts), read_only(ends), normal, normal_offsets, changed)
    return _edits_of(offsets, part_offsets, starts, ends, normal, normal_offsets, changed)


def _normalised(
    data: np.ndarray, starts: np.ndarray, ends: np.ndarray, form: Literal["NFC", "NFKC"]
) -> tuple[np.ndarray, np.ndarray]:
    """The normal form of each range of `data`, one after another with a line feed behind each, and where each starts.

    A line feed stands in no range, and no normal form joins anything across it.
    """
    joined = np.empty(int((ends - starts).sum()) + len(starts), np.uint8)
    _join(data, starts, ends, joined)
    normal = np.frombuffer(unicodedata.normalize(form, joined.tobytes().decode()).encode(), np.uint8)
    offsets = np.concatenate((np.zeros(1, np.int64), np.flatnonzero(normal == _LINE_FEED) + 1))
    return read_only(normal), read_only(offsets)


def _edits_of(
    offsets: np.ndarray,
    part_offsets: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    normal: np.ndarray,
    normal_offsets: np.ndarray,
    changed: np.ndarray,
) -> Edits:
    """Of the parts those that changed, in positions of their texts."""
    document = np.repeat(np.arange(len(offsets) - 1), np.diff(part_offsets))[changed]
    counts = np.bincount(document, minlength=len(offsets) - 1)
    edit_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    is_added = np.repeat(changed, np.diff(normal_offsets))
    is_added[normal_offsets[1:] - 1] = False  # the line feeds between the parts
    added_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.diff(normal_offsets)[changed] - 1)))
    rules = np.full(len(document), NORMAL_FORM, np.int8)
    origins = offsets[document]
    return Edits(
        edit_offsets, starts[changed] - origins, ends[changed] - origins, rules, added_offsets, normal[is_added]
    )


@kernel
def _parts(data, offsets, suspects, kinds, forms, combining_classes, pairs, suspect, not_in_form, parts, part_offsets):
    """Fills in the parts that may not be in the form: `parts` int64[2, capacity], start and end in `data`, and
    `part_offsets` int64[texts + 1] into them. Returns False where they do not fit."""
    count = 0
    part_offsets[0] = 0
    for document in range(len(offsets) - 1):
        position, end = offsets[document], offsets[document + 1]
        part = position  # where the part begins that `position` is in
        is_wrong = False
        starter = np.uint32(0)  # the last character of combining class 0
        last_class = np.uint8(0)  # of the character before
        if not suspects[document]:
            position = end
        while position < end:
            codepoint, after = decode(data, position, end)
            if kinds[codepoint] & suspect != 0:
                combining_class = combining_classes[codepoint]
                form = forms[codepoint]
                if form & not_in_form != 0 or (combining_class != 0 and combining_class < last_class):
                    is_wrong = True
                elif form & MAYBE != 0 and (last_class == 0 or last_class < combining_class):
                    is_wrong |= _may_compose(starter, codepoint, forms, pairs)
                if combining_class == 0:
                    starter = codepoint
                last_class = combining_class
                position = after
                continue
            if is_wrong:
                if count == parts.shape[1]:
                    return False
                parts[0, count], parts[1, count] = part, position
                count += 1
                is_wrong = False
            if codepoint < 0x80:
                after = max(after, skip_ascii(data, after, end))
                codepoint = np.uint32(data[after - 1])
                position = after - 1
            # A line feed joins nothing and must stand in no part.
            part = after if codepoint == _LINE_FEED else position
            starter, last_class = codepoint, np.uint8(0)
            position = after
        if is_wrong:
            if count == parts.shape[1]:
                return False
            parts[0, count], parts[1, count] = part, end
            count += 1
        part_offsets[document + 1] = count
    return True


@kernel
def _may_compose(first, second, forms, pairs):
    """Whether `second`, with nothing between that keeps it from `first`, makes one character with it.

    A first character that is composed itself may come apart and compose in another order: that is not looked into.
    """
    if 0x1161 <= second <= 0x1175:  # Hangul vowels follow a leading consonant (The Unicode Standard, 3.12)
        return 0x1100 <= first <= 0x1112
    if 0x11A8 <= second <= 0x11C2:  # trailing consonants follow a syllable without one
        return 0xAC00 <= first <= 0xD7A3 and (first - 0xAC00) % 28 == 0
    if forms[first] & COMPOSITE != 0:
        return True
    pair = np.uint64(first) << np.uint64(32) | np.uint64(second)
    low, high = 0, len(pairs)
    while low < high:
        middle = (low + high) // 2
        if pairs[middle] < pair:
            low = middle + 1
        else:
            high = middle
    return low < len(pairs) and pairs[low] == pair


@kernel
def _join(data, starts, ends, joined):
    written = 0
    for i in range(len(starts)):
        for j in range(starts[i], ends[i]):
            joined[written] = data[j]
            written += 1
        joined[written] = _LINE_FEED
        written += 1


@kernel
def _compare(data, starts, ends, normal, normal_offsets, changed):
    """Whether the normal form of each part is another text than the part."""
    for i in range(len(starts)):
        length = ends[i] - starts[i]
        differs = normal_offsets[i + 1] - 1 - normal_offsets[i] != length
        for j in range(length):
            if differs:
                break
            differs = data[starts[i] + j] != normal[normal_offsets[i] + j]
        changed[i] = differs
