"""Statistics of lines and symbols. A line ends at a line feed; one of nothing but whitespace is blank."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import WHITESPACE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode

# Rae et al. 2021 give no list of bullets. datatrove takes U+2022, others add hyphen and asterisk, and the rest are
# the Unicode characters named BULLET that stand at lines, and the small squares that browsers draw for lists.
BULLETS = tuple(ord(c) for c in "-*•‣⁃◦▪▫")

_LINE_FEED = 0x0A
_FULL_STOP = 0x2E
_HASH = 0x23
_ELLIPSIS = 0x2026  # HORIZONTAL ELLIPSIS

# Columns of the kernel's output.
_CHARACTERS, _LINES, _BULLET_LINES, _ELLIPSIS_LINES, _HASHES, _ELLIPSES = range(6)


@dataclass(frozen=True)
class LineStatistics:
    """int64[documents] each.

    `num_characters` codepoints; `num_lines` that are not blank; of those, `num_bullet_lines` whose first character
    other than whitespace is a bullet, `num_ellipsis_lines` that end in "…" or "..." (before trailing whitespace);
    `num_hashes` "#"; `num_ellipses` "…" and "..." (not overlapping: six dots are two).
    """

    num_characters: np.ndarray
    num_lines: np.ndarray
    num_bullet_lines: np.ndarray
    num_ellipsis_lines: np.ndarray
    num_hashes: np.ndarray
    num_ellipses: np.ndarray


def line_statistics(text: pa.LargeStringArray) -> LineStatistics:
    """The counts for each text."""
    data, offsets = text_buffers(text)
    counts = np.empty((6, len(text)), np.int64)
    _count(data, offsets, unicode_classes().classes, counts)
    return LineStatistics(*counts)


@njit(cache=True, nogil=True)
def _count(data, offsets, classes, counts):
    for document in range(len(offsets) - 1):
        counts[:, document] = 0
        position = offsets[document]
        end = offsets[document + 1]
        characters = 0
        hashes = 0
        while position < end:
            blank = True
            ends_in_ellipsis = False
            num_dots = 0  # full stops in a row, up to here
            while position < end:
                codepoint, position = decode(data, position, end)
                characters += 1
                kind = classes[codepoint]
                if kind & WHITESPACE != 0:
                    num_dots = 0
                    if codepoint == _LINE_FEED:
                        break
                    continue
                if blank:
                    blank = False
                    counts[_BULLET_LINES, document] += _is_bullet(codepoint)
                ends_in_ellipsis = False
                if kind & WORD != 0:
                    num_dots = 0
                    continue
                hashes += codepoint == _HASH
                num_dots = num_dots + 1 if codepoint == _FULL_STOP else 0
                if codepoint == _ELLIPSIS or num_dots >= 3:
                    ends_in_ellipsis = True
                    counts[_ELLIPSES, document] += num_dots % 3 == 0
            counts[_LINES, document] += not blank
            counts[_ELLIPSIS_LINES, document] += ends_in_ellipsis
        counts[_CHARACTERS, document] = characters
        counts[_HASHES, document] = hashes


@njit(cache=True, nogil=True)
def _is_bullet(codepoint):
    for bullet in BULLETS:  # noqa: SIM110 -- numba knows no `any`
        if codepoint == bullet:
            return True
    return False
