"""Bank accounts (IBAN) and payment cards in text: where one stands, if its checksum holds.

**IBAN** (ISO 13616): capitals, in one piece or in groups of four with a space between; length and kinds of characters
by country (`iban_structures.tsv`), and ISO 7064's MOD 97-10. **Cards** (ISO/IEC 7812): length and leading digits of a
network, Luhn's checksum, and the digits in one piece or grouped as cards print them, by spaces or by hyphens. A number
that is part of another one, of a row of such groups, of a path or of a parameter is none.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import functools
from pathlib import Path

import numpy as np

from dataprep.kernels.ascii_classes import ALNUM, ASCII_CLASSES, DIGIT, JOINED, UPPER
from dataprep.kernels.deferred import kernel

STRUCTURES_FILE = Path(__file__).with_name("iban_structures.tsv")
_MAX_BBAN = 30  # characters; ISO 13616: an IBAN has 34 at most
_KINDS = {"n": DIGIT, "a": UPPER, "c": DIGIT | UPPER}
_SPACE, _HYPHEN, _DOT, _COMMA = 0x20, 0x2D, 0x2E, 0x2C

_NO_START = np.zeros(256, np.bool_)  # of a card's number; beside what goes on with a name
_NO_START[np.frombuffer(b".,-/=#&%@+$*", np.uint8)] = True
_NO_END = np.zeros(256, np.bool_)
_NO_END[np.frombuffer(b"@/=%&", np.uint8)] = True


@functools.cache
def iban_structures() -> np.ndarray:
    """uint8[676, 31]: by country (26 x first letter + second) what each character after the fourth may be, as bits of
    `ascii_classes`; 0 after the last, and throughout where the country has no IBAN."""
    table = np.zeros((26 * 26, _MAX_BBAN + 1), np.uint8)
    for line in STRUCTURES_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        country, fields = line.split("\t")
        kinds = [_KINDS[field[-1]] for field in fields.split() for _ in range(int(field[:-1]))]
        table[(ord(country[0]) - 65) * 26 + ord(country[1]) - 65, : len(kinds)] = kinds
    table.flags.writeable = False
    return table


@kernel
def iban_at(data, start, floor, end, structures):
    """Where the IBAN ends that starts with the two capitals at `start`, -1 if none does."""
    if start > floor and ASCII_CLASSES[data[start - 1]] & JOINED != 0:
        return -1
    if start + 5 >= end or ASCII_CLASSES[data[start + 2]] & ASCII_CLASSES[data[start + 3]] & DIGIT == 0:
        return -1
    first, second = np.int64(data[start]) - 65, np.int64(data[start + 1]) - 65
    kinds = structures[first * 26 + second]
    in_groups = data[start + 4] == _SPACE
    remainder = np.int64(0)
    position = start + 4
    length = 0
    while kinds[length] != 0:
        if in_groups and length % 4 == 0:
            if position >= end or data[position] != _SPACE:
                return -1
            position += 1
        if position >= end or ASCII_CLASSES[data[position]] & kinds[length] == 0:
            return -1
        byte = np.int64(data[position])
        remainder = (remainder * 10 + byte - 0x30) % 97 if byte < 0x3A else (remainder * 100 + byte - 55) % 97
        position += 1
        length += 1
    if length == 0 or (position < end and ASCII_CLASSES[data[position]] & JOINED != 0):
        return -1
    remainder = ((remainder * 100 + first + 10) * 100 + second + 10) % 97
    check = (np.int64(data[start + 2]) - 0x30) * 10 + np.int64(data[start + 3]) - 0x30
    return position if (remainder * 100 + check) % 97 == 1 else -1


@kernel
def card_at(data, start, floor, end):
    """Where the card's number ends whose first digit is at `start`, -1 if there is none."""
    if start > floor and (ASCII_CLASSES[data[start - 1]] & JOINED != 0 or _NO_START[data[start - 1]]):
        return -1
    position, num_digits, layout = start, 0, 0
    prefix, separator, nothing = np.int64(0), np.int64(0), np.int64(0)
    even_doubled, odd_doubled = (
        np.int64(0),
        np.int64(0),
    )  # Luhn's sums: which digits are doubled depends on how many there are
    while True:
        group_start = position
        while position < end and num_digits < 20 and ASCII_CLASSES[data[position]] & DIGIT != 0:
            digit = np.int64(data[position]) - 0x30
            doubled = digit * 2 - 9 * (digit > 4)
            even_doubled += doubled if num_digits % 2 == 0 else digit
            odd_doubled += digit if num_digits % 2 == 0 else doubled
            if num_digits < 6:
                prefix = prefix * 10 + digit
            num_digits += 1
            position += 1
        layout = layout * 32 + (position - group_start)
        goes_on = position + 1 < end and ASCII_CLASSES[data[position + 1]] & DIGIT != 0
        byte = np.int64(data[position]) if position < end else nothing
        if not goes_on or byte not in (_SPACE, _HYPHEN) or num_digits >= 16 or position - group_start > 6:
            break
        if separator not in (nothing, byte):
            return -1
        separator = byte
        position += 1
    if num_digits < 14 or not _is_layout(layout, num_digits) or not _is_network(prefix, num_digits):
        return -1
    if (even_doubled if num_digits % 2 == 0 else odd_doubled) % 10 != 0:
        return -1
    if separator != 0 and _is_in_a_row(data, start, position, floor, end, separator):
        return -1
    return position if _card_ends_there(data, position, end) else -1


@kernel
def _is_layout(layout, num_digits):
    """In one piece, or in groups of 4-4-4-4, 4-6-5 (American Express) or 4-6-4 (Diners Club)."""
    if layout == num_digits:
        return True
    in_fours = ((4 * 32 + 4) * 32 + 4) * 32 + 4
    return layout == in_fours or layout == (4 * 32 + 6) * 32 + 5 or layout == (4 * 32 + 6) * 32 + 4


@kernel
def _is_network(prefix, num_digits):
    """Whether a network gives out numbers of this length with these first six digits.

    Ranges as in ISO/IEC 7812's networks' own publications. Visa's old 13 and rare 19 digits and Maestro's 12 to 19 of
    nearly any form are left out: most such numbers are something else.
    """
    if num_digits == 14:  # Diners Club
        return 300000 <= prefix <= 305999 or prefix // 100 == 3095 or prefix // 10000 in (36, 38, 39)
    if num_digits == 15:  # American Express
        return prefix // 10000 in (34, 37)
    if prefix // 10000 == 62:  # UnionPay
        return num_digits <= 19
    if num_digits != 16:
        return False
    return (
        prefix // 100000 == 4  # Visa
        or 510000 <= prefix <= 559999  # Mastercard
        or 222100 <= prefix <= 272099  # Mastercard
        or 352800 <= prefix <= 358999  # JCB
        or prefix // 100 == 6011  # Discover
        or 644000 <= prefix <= 659999  # Discover
    )


@kernel
def _is_in_a_row(data, start, stop, floor, end, separator):
    """Whether the groups are some of a longer row of groups, as in a table of numbers."""
    if start - 2 >= floor and data[start - 1] == separator and ASCII_CLASSES[data[start - 2]] & DIGIT != 0:
        return True
    if stop + 4 >= end or data[stop] != separator:
        return False
    for i in range(1, 5):
        if ASCII_CLASSES[data[stop + i]] & DIGIT == 0:
            return False
    return stop + 5 >= end or ASCII_CLASSES[data[stop + 5]] & DIGIT == 0


@kernel
def _card_ends_there(data, position, end):
    if position >= end:
        return True
    byte = data[position]
    if ASCII_CLASSES[byte] & JOINED != 0 or _NO_END[byte]:
        return False
    if byte in (_DOT, _COMMA, _HYPHEN):
        return position + 1 >= end or ASCII_CLASSES[data[position + 1]] & ALNUM == 0
    return True
