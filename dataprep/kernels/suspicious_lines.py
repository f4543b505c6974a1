"""Lines that may hold mojibake: a character that a leading byte of UTF-8 becomes in an encoding of one byte, and behind
it one that a trailing byte becomes."""

import functools

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import line_end, skip_ascii
from dataprep.kernels.deferred import kernel
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.utf8 import decode

ENCODINGS = (
    *("latin-1", "windows-1252", "windows-1251", "windows-1250", "windows-1253", "windows-1254", "windows-1257"),
    *("iso-8859-2", "macroman", "cp437"),
)
"""In which ftfy 6 looks for UTF-8 that was decoded as something else (`ftfy.chardata.CHARMAP_ENCODINGS`)."""

_LEADS, _TRAILS = 1, 2
_LEADING_BYTES, _TRAILING_BYTES = range(0xC2, 0xF5), range(0x80, 0xC0)  # RFC 3629
_SPACE = 0x20  # what became of a trailing 0xA0, a no-break space, where blanks were tidied up
_LINE_FEED = 0x0A
_NUM_ROLES = 0x3000  # characters of those encodings are below


def suspicious_lines(text: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The suspicious lines of each text, without their line feeds: those of text i are [offsets[i], offsets[i + 1]) of
    `starts` and `ends` (int64, bytes in the text)."""
    data, offsets = text_buffers(text)
    line_offsets = np.empty(len(offsets), np.int64)
    capacity = 1024
    while True:
        lines = np.empty((2, capacity), np.int64)
        if _suspicious_lines(data, offsets, _roles(), lines, line_offsets):
            break
        capacity *= 8
    starts, ends = lines[:, : line_offsets[-1]]
    return line_offsets, starts, ends


@functools.cache
def _roles() -> np.ndarray:
    """uint8[_NUM_ROLES]: whether a codepoint may stand for a leading byte, or for a trailing one."""
    roles = np.zeros(_NUM_ROLES, np.uint8)
    for encoding in ENCODINGS:
        for byte in (*_LEADING_BYTES, *_TRAILING_BYTES):
            # ftfy takes what an encoding leaves undefined for the control character of that number.
            codepoint = ord(bytes([byte]).decode(encoding, "replace").replace("\ufffd", chr(byte)))
            if codepoint < _NUM_ROLES:  # macroman has two beyond, in the private use area and a ligature
                roles[codepoint] |= _LEADS if byte in _LEADING_BYTES else _TRAILS
    roles[_SPACE] |= _TRAILS
    roles.flags.writeable = False
    return roles


@kernel
def _suspicious_lines(data, offsets, roles, lines, line_offsets):
    """Fills in the lines: `lines` int64[2, capacity]. Returns False where they do not fit."""
    count = 0
    line_offsets[0] = 0
    for document in range(len(offsets) - 1):
        origin, end = offsets[document], offsets[document + 1]
        position = skip_ascii(data, origin, end)
        while position < end:
            codepoint, after = decode(data, position, end)
            if after < end and codepoint < len(roles) and roles[codepoint] & _LEADS != 0:
                second, _ = decode(data, after, end)
                if second < len(roles) and roles[second] & _TRAILS != 0:
                    if count == lines.shape[1]:
                        return False
                    start = position
                    while start > origin and data[start - 1] != _LINE_FEED:
                        start -= 1
                    after = line_end(data, after, end)
                    lines[0, count], lines[1, count] = start - origin, after - origin
                    count += 1
            position = skip_ascii(data, after, end)
        line_offsets[document + 1] = count
    return True
