"""Where personal data may stand in a text: one scan over the bytes, and exact rules at the few that can lead to it.

The rules are those of `ip_addresses`, `account_numbers` and `contacts`; telephone numbers are only proposed.
"""

import numpy as np
import pyarrow as pa

from dataprep.kernels.account_numbers import card_at, iban_at, iban_structures
from dataprep.kernels.ascii_classes import ASCII_CLASSES, DIGIT, HEX, UPPER
from dataprep.kernels.contacts import BETWEEN_DIGITS, MIN_PHONE_DIGITS, email_at, may_start_phone, phone_span
from dataprep.kernels.deferred import kernel
from dataprep.kernels.ip_addresses import ipv4_at, ipv6_at
from dataprep.kernels.marked_words import PHONE_NUMBER, mark_before, marks
from dataprep.kernels.text_buffers import text_buffers

EMAIL, IP_ADDRESS, PHONE, IBAN, CARD, NATIONAL_PHONE = range(6)
"""What a span holds; NATIONAL_PHONE is a telephone number without the code of its country, after a word such as
`Tel.`, and counts as PHONE once it is taken for one."""

_SHORTEST = 3  # bytes of a span: `::1`
_COLON, _PLUS, _OPEN, _DOT = 0x3A, 0x2B, 0x28, 0x2E

_ON_DIGIT, _ON_AT, _ON_COLON, _ON_PLUS = 1, 2, 3, 4
_TRIGGERS = np.zeros(256, np.uint8)
_TRIGGERS[0x30:0x3A] = _ON_DIGIT
_TRIGGERS[0x40] = _ON_AT
_TRIGGERS[_COLON] = _ON_COLON
_TRIGGERS[_PLUS] = _ON_PLUS


def propose_spans(text: pa.LargeStringArray, public_only: bool) -> np.ndarray:
    """int64[4, spans]: document, first byte and end (into the column's buffer), kind; ascending by first byte.

    Spans do not overlap, but for those of telephone numbers, which may lie over others that follow them.
    `public_only` leaves out IP addresses of private and special ranges.
    """
    data, offsets = text_buffers(text)
    # Memory that no span reaches is reserved, never touched.
    spans = np.empty((4, int(offsets[-1] - offsets[0]) // _SHORTEST + 1), np.int64)
    count = _propose(data, offsets, iban_structures(), marks(), public_only, spans)
    return spans[:, :count]


@kernel
def _propose(data, offsets, structures, marks, public_only, spans):
    count = 0
    for document in range(len(offsets) - 1):
        floor = offsets[document]  # nothing before it is looked at: the end of the last span
        end = offsets[document + 1]
        position = floor
        while position < end:
            while position < end and _TRIGGERS[data[position]] == 0:  # most bytes: here the time goes
                position += 1
            if position >= end:
                break
            trigger = _TRIGGERS[data[position]]
            start, stop, kind, after = position, np.int64(-1), 0, position + 1
            if trigger == _ON_DIGIT:
                while after < end and ASCII_CLASSES[data[after]] & DIGIT != 0:
                    after += 1
                if _may_be_personal(data, position, after, floor, end):
                    start, stop, kind = _number_at(data, position, floor, end, structures, marks, public_only)
            elif trigger == _ON_AT:
                start, stop = email_at(data, position, floor, end)
                kind = EMAIL
            elif trigger == _ON_COLON:
                if position + 1 < end and (data[position + 1] == _COLON or ASCII_CLASSES[data[position + 1]] & HEX):
                    start, stop = ipv6_at(data, position, floor, end, public_only)
                    kind = IP_ADDRESS
            elif _leads_to_phone(data, position, floor, end):
                stop = phone_span(data, position, end)
                kind = PHONE
            if stop >= 0:
                spans[0, count], spans[1, count], spans[2, count], spans[3, count] = document, start, stop, kind
                count += 1
                if kind != PHONE and kind != NATIONAL_PHONE:
                    floor = after = stop
            position = after
    return count


@kernel
def _leads_to_phone(data, plus, floor, end):
    if plus + 1 >= end or not may_start_phone(data, plus, floor):
        return False
    return data[plus + 1] == _OPEN or ASCII_CLASSES[data[plus + 1]] & DIGIT != 0


@kernel
def _may_be_personal(data, start, stop, floor, end):
    """Whether a run of digits is long, goes on after a mark or blank, or follows two capitals: few do."""
    if stop - start >= MIN_PHONE_DIGITS:
        return True
    if stop + 1 < end and BETWEEN_DIGITS[data[stop]]:
        byte = data[stop + 1]
        if ASCII_CLASSES[byte] & DIGIT != 0 or (BETWEEN_DIGITS[byte] and byte != _DOT):
            return True
    if stop < end and data[stop] == 0xC2:  # leads a NO-BREAK SPACE
        return True
    return start - 2 >= floor and ASCII_CLASSES[data[start - 1]] & ASCII_CLASSES[data[start - 2]] & UPPER != 0


@kernel
def _number_at(data, position, floor, end, structures, marks, public_only):
    """Start, end and kind of what a run of digits that starts at `position` belongs to; end -1: to nothing."""
    start = position - 2
    if start >= floor and ASCII_CLASSES[data[start]] & ASCII_CLASSES[data[start + 1]] & UPPER != 0:
        stop = iban_at(data, start, floor, end, structures)
        if stop >= 0:
            return start, np.int64(stop), IBAN
    stop = ipv4_at(data, position, floor, end, public_only, marks)
    if stop >= 0:
        return position, np.int64(stop), IP_ADDRESS
    stop = card_at(data, position, floor, end)
    if stop >= 0:
        return position, np.int64(stop), CARD
    start = position - (position > floor and data[position - 1] == _OPEN)
    if may_start_phone(data, start, floor):
        stop = phone_span(data, start, end)
        if stop >= 0 and mark_before(data, start, floor, marks) == PHONE_NUMBER:
            return start, np.int64(stop), NATIONAL_PHONE
    return position, np.int64(-1), 0


@kernel
def size_after(offsets, spans, token_sizes, sizes):
    """Fills in `sizes` int64[documents]: bytes of each text once each span has given way to its kind's token."""
    for document in range(len(offsets) - 1):
        sizes[document] = offsets[document + 1] - offsets[document]
    for i in range(spans.shape[1]):
        sizes[spans[0, i]] += token_sizes[spans[3, i]] - (spans[2, i] - spans[1, i])


@kernel
def put_tokens(data, offsets, spans, tokens, token_offsets, out):
    """Writes the texts one after another into `out`, each span replaced by its kind's token."""
    written = np.int64(0)
    position = offsets[0]
    for i in range(spans.shape[1] + 1):
        stop = spans[1, i] if i < spans.shape[1] else offsets[-1]
        out[written : written + stop - position] = data[position:stop]
        written += stop - position
        if i < spans.shape[1]:
            kind = spans[3, i]
            for j in range(token_offsets[kind], token_offsets[kind + 1]):
                out[written] = tokens[j]
                written += 1
            position = spans[2, i]
