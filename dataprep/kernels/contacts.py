"""E-mail addresses in text, and what could be a telephone number.

**E-mail**: ASCII letters, digits and `._%+-` before the @, a domain with a dot after it whose last label is letters or
punycode (a part of RFC 5321). Addresses with other letters (RFC 6531) are left: in scripts written without spaces one
cannot tell them from the words before them. **Telephone numbers** are only proposed here (7 to 15 digits, ITU-T E.164,
with blanks, hyphens, dots, slashes and brackets between): `dataprep.personal_data` asks the numbering plans.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.ascii_classes import ALNUM, ASCII_CLASSES, DIGIT, JOINED, LETTER, LOCAL
from dataprep.kernels.deferred import kernel

_DOT, _HYPHEN, _UNDERSCORE, _AT, _PLUS, _OPEN = 0x2E, 0x2D, 0x5F, 0x40, 0x2B, 0x28
_MAX_LOCAL = 64  # octets, RFC 5321, 4.5.3.1.1
MIN_PHONE_DIGITS = 7  # with the country's code; shorter ones are services and not people
MAX_PHONE_DIGITS = 15  # ITU-T E.164, 6.1

BETWEEN_DIGITS = np.zeros(256, np.bool_)
BETWEEN_DIGITS[np.frombuffer(b" -.()/", np.uint8)] = True


@kernel
def email_at(data, at, floor, end):
    """Where the address starts and ends whose @ is at `at`, (-1, -1) if there is none."""
    start = at
    while start > floor and ASCII_CLASSES[data[start - 1]] & LOCAL != 0:
        start -= 1
    while start < at and ASCII_CLASSES[data[start]] & JOINED == 0:
        start += 1
    if start == at or at - start > _MAX_LOCAL:
        return -1, -1
    stop = -1
    num_labels = 0
    position = at + 1
    while True:
        label = position
        while position < end and (ASCII_CLASSES[data[position]] & ALNUM != 0 or data[position] == _HYPHEN):
            position += 1
        label_end = position
        while label_end > label and data[label_end - 1] == _HYPHEN:
            label_end -= 1
        if label_end == label or data[label] == _HYPHEN:
            break
        if num_labels > 0 and _is_top_level(data, label, label_end, end):
            stop = label_end
        num_labels += 1
        if label_end < position or position >= end or data[position] != _DOT:
            break
        position += 1
    return (start, stop) if stop >= 0 else (-1, -1)


@kernel
def _is_top_level(data, label, label_end, end):
    """Two or more letters, or punycode; not where a name goes on with `_` or another @."""
    if label_end < end and (data[label_end] == _UNDERSCORE or data[label_end] == _AT):
        return False
    if label_end - label > 4 and data[label + 2] == _HYPHEN and data[label + 3] == _HYPHEN:
        return (data[label] | 0x20) == 0x78 and (data[label + 1] | 0x20) == 0x6E  # xn--
    for position in range(label, label_end):
        if ASCII_CLASSES[data[position]] & LETTER == 0:
            return False
    return label_end - label >= 2


@kernel
def phone_span(data, start, end):
    """Where at the most a number ends that starts at `start` with `+`, `(` or a digit; -1 for too few digits.

    It ends in a digit that no letter and no further digit follows.
    """
    position = start + (data[start] == _PLUS)
    num_digits, num_between = 0, 0
    stop, previous_stop = -1, -1  # the ends of the last two groups of digits that make a number of enough digits
    while position < end and num_digits < MAX_PHONE_DIGITS and num_between < 3:
        byte = data[position]
        if ASCII_CLASSES[byte] & DIGIT != 0:
            if num_between > 0:
                previous_stop = stop
            num_digits += 1
            num_between = 0
            if num_digits >= MIN_PHONE_DIGITS:
                stop = position + 1
            position += 1
        elif BETWEEN_DIGITS[byte]:
            num_between += 1
            position += 1
        elif byte == 0xC2 and position + 1 < end and data[position + 1] == 0xA0:  # NO-BREAK SPACE
            num_between += 1
            position += 2
        else:
            break
    if stop >= 0 and stop < end and (ASCII_CLASSES[data[stop]] & JOINED != 0 or data[stop] == _AT):
        stop = previous_stop
    return stop


@kernel
def may_start_phone(data, start, floor):
    """Whether nothing before `start` makes the number a part of something longer."""
    if start == floor:
        return True
    byte = data[start - 1]
    return ASCII_CLASSES[byte] & JOINED == 0 and byte != _PLUS and byte != _DOT
