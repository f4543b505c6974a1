"""Words that say what the number after them is: `Tel.: 030 ...` is a telephone number, `version 1.20.30.4` a version.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import functools

import numpy as np

from dataprep.kernels.ascii_classes import ALNUM, ASCII_CLASSES, LETTER, UNDERSCORE, UPPER
from dataprep.kernels.deferred import kernel

NOTHING, PHONE_NUMBER, ADDRESS_NUMBER, FILLER, PHONE_ENDING = range(5)
"""What a word says: nothing, a telephone number follows, a version or a section follows, look at the word before.
PHONE_ENDING is PHONE_NUMBER for words of scripts without spaces, which end a longer run."""

WORDS = {
    PHONE_NUMBER: "tel tél telephone téléphone telefon telefono teléfono telefone telefoon telefax phone ph fon fax "
    "mobile mobil móvil cell cellphone handy call tlf тел Тел телефон Телефон τηλ Τηλ هاتف फोन",
    PHONE_ENDING: "电话 電話 手机 手機 传真 傳真 전화",
    ADDRESS_NUMBER: "v ver vers version versions versión versione release releases rel build builds rev revision "
    "firmware driver update section sections chapter clause oid §",
    FILLER: "number numbers no nr num nummer numéro número numero",
}
"""Compared in UTF-8 with ASCII capitals as small letters; a capital outside ASCII is a word of its own."""

_BLANKS_AND_MARKS = np.zeros(256, np.bool_)
_BLANKS_AND_MARKS[np.frombuffer(b" \t:.=()[]-/", np.uint8)] = True
# No line feed: `corpus` takes away blank lines, and what it masked before it must find again, and no more.
_MAX_BETWEEN = 6  # bytes between word and number: `Tel.: (030) ...`


@functools.cache
def marks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The words one after another (uint8), their offsets (int64[words + 1]), what they say (int8[words])."""
    pairs = [(word.encode(), says) for says, words in WORDS.items() for word in words.split()]
    data = np.frombuffer(b"".join(word for word, _ in pairs), np.uint8)
    offsets = np.cumsum([0] + [len(word) for word, _ in pairs], dtype=np.int64)
    says = np.array([says for _, says in pairs], np.int8)
    for array in (offsets, says):
        array.flags.writeable = False
    return data, offsets, says


@kernel
def mark_before(data, start, floor, marks):
    """What the word says that stands before `start`, with no more than blanks and a few marks between."""
    position = start
    for _ in range(3):  # a filler or two may stand between
        stop = _skip_back(data, position, floor)
        if stop < 0:
            return NOTHING
        first = stop
        while first > floor and (data[first - 1] >= 0x80 or ASCII_CLASSES[data[first - 1]] & LETTER != 0):
            first -= 1
        if first == stop or (first > floor and ASCII_CLASSES[data[first - 1]] & (ALNUM | UNDERSCORE) != 0):
            return NOTHING
        said = _what_it_says(data, first, stop, marks)
        if said != FILLER:
            return said
        position = first
    return NOTHING


@kernel
def _skip_back(data, position, floor):
    """Where the word before `position` ends, -1 if there is none close by."""
    nearest = max(floor, position - _MAX_BETWEEN)
    while position > nearest:
        if _BLANKS_AND_MARKS[data[position - 1]]:
            position -= 1
        elif position - 2 >= floor and data[position - 2] == 0xC2 and data[position - 1] == 0xA0:  # NO-BREAK SPACE
            position -= 2
        elif (  # FULLWIDTH COLON
            position - 3 >= floor
            and data[position - 3] == 0xEF
            and data[position - 2] == 0xBC
            and data[position - 1] == 0x9A
        ):
            position -= 3
        else:
            return position
    return position if position > floor else -1


@kernel
def _what_it_says(data, first, stop, marks):
    words, offsets, says = marks
    for i in range(len(says)):
        length = offsets[i + 1] - offsets[i]
        if length > stop - first or (length < stop - first and says[i] != PHONE_ENDING):
            continue
        matched = 0
        while matched < length:
            byte = data[stop - length + matched]
            if ASCII_CLASSES[byte] & UPPER != 0:
                byte |= 0x20
            if byte != words[offsets[i] + matched]:
                break
            matched += 1
        if matched == length:
            return PHONE_NUMBER if says[i] == PHONE_ENDING else np.int64(says[i])
    return NOTHING
