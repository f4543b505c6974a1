"""Classes of Unicode codepoints, and with them what a word is.

**A word is a maximal run of Unicode letters, marks and digits; a letter of a script written without spaces is a word
of its own together with the marks that follow it. Everything else separates words.**

Letters, marks and digits are the general categories L*, M* and N*. The scripts written without spaces are Han,
Hiragana, Katakana, Thai, Lao, Khmer and Myanmar. So an apostrophe and a hyphen separate: `don't` is two words, `don`
and `t`, and `well-known` is two; `3.14` is two; `x86` is one; `東京2020` is three: `東`, `京`, `2020`.

The table is a file shipped beside this module and not Python's `unicodedata`, whose Unicode version changes with the
Python release: two machines would disagree about words, and then about duplicates.
`python -m dataprep.kernels.build_unicode_classes` makes it anew.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LETTER = 1  # general category L*
MARK = 2  # general category M*
DIGIT = 4  # general category N*: Nd, Nl and No
WHITESPACE = 8  # property White_Space
SINGLE = 16  # a letter of a script written without spaces; always with LETTER
CLOSING = 32  # closing brackets and quotation marks of either kind: general categories Pe, Pf, Pi, and " and '
SENTENCE_END = 64  # property Sentence_Terminal: full stop, question mark, exclamation mark, in every script

WORD = LETTER | MARK | DIGIT  # what words are made of

NUM_CODEPOINTS = 0x110000  # the Unicode code space, U+0000 to U+10FFFF

TABLE_FILE = Path(__file__).with_name("unicode_classes.npz")


@dataclass(frozen=True)
class UnicodeClasses:
    """The tables, one entry per codepoint, read-only.

    `classes` uint8[0x110000], the bits of this module; `lower` uint32[0x110000], the simple (one to one) lowercase
    mapping, a codepoint without one maps to itself; `unicode_version` like "14.0.0".
    """

    classes: np.ndarray
    lower: np.ndarray
    unicode_version: str


@functools.cache
def unicode_classes() -> UnicodeClasses:
    """The shipped tables, expanded on the first call (about 5.5 MB) and kept."""
    with np.load(TABLE_FILE, allow_pickle=False) as table:
        range_starts, range_classes = table["range_starts"], table["range_classes"]
        cased, lowered = table["cased"], table["lowered"]
        unicode_version = str(table["unicode_version"])
    classes = np.repeat(range_classes, np.diff(range_starts, append=NUM_CODEPOINTS))
    lower = np.arange(NUM_CODEPOINTS, dtype=np.uint32)
    lower[cased] = lowered
    # Numba takes a read-only array for another type: every table and every Arrow buffer is read-only, always.
    classes.flags.writeable = False
    lower.flags.writeable = False
    return UnicodeClasses(classes, lower, unicode_version)
