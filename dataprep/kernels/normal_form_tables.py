"""What each codepoint is to a normal form, and which pairs of codepoints one composes.

The tables are a file shipped beside this module, so that Python's release does not decide what a text becomes:
`python -m dataprep.kernels.build_normal_form_tables` makes it anew.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dataprep.kernels.unicode_classes import NUM_CODEPOINTS

# Bits of `kinds`: what a pass over the characters has to stop at.
CONTROL = 1  # category Cc but for tab and line ends; noncharacters; surrogates
INVISIBLE = 2  # of no width and no meaning in the text as it is read: see `build_normal_form_tables`
JOINER = 4  # U+200C and U+200D
LINE_BREAK = 8  # ends a line, and is no line feed (The Unicode Standard, 5.8)
BLANK = 16  # category Zs, and tab
COMBINING = 32  # category M*
SUSPECT_NFC = 64  # cannot be known by itself to be in NFC: combining class above 0, or NFC_Quick_Check No or Maybe
SUSPECT_NFKC = 128

# Bits of `forms`.
NOT_NFC = 1  # NFC_Quick_Check=No
NOT_NFKC = 2
MAYBE = 4  # is the second of a pair that composes: Quick_Check=Maybe in both forms
COMPOSITE = 8  # has a canonical decomposition; not Hangul, whose composition is arithmetic
JOINS = 16  # letter or mark of a script in which a joiner changes the shape of its neighbours
PICTOGRAPH = 32  # what an emoji sequence may join

TABLE_FILE = Path(__file__).with_name("normal_form_tables.npz")


class NormalFormTables(NamedTuple):
    """Read-only, as kernels take them.

    `kinds`, `forms` and `combining_classes` uint8[0x110000]; `pairs` uint64[], ascending: first << 32 | second of each
    primary composite.
    """

    kinds: np.ndarray
    forms: np.ndarray
    combining_classes: np.ndarray
    pairs: np.ndarray


@functools.cache
def normal_form_tables() -> NormalFormTables:
    """The shipped tables, expanded on the first call (3.3 MB) and kept."""
    with np.load(TABLE_FILE, allow_pickle=False) as table:
        starts, values, pairs = table["range_starts"], table["range_values"], table["pairs"]
    lengths = np.diff(starts, append=NUM_CODEPOINTS)
    kinds, forms, combining_classes = (np.repeat(values[row], lengths) for row in range(3))
    for array in (kinds, forms, combining_classes, pairs):
        array.flags.writeable = False
    return NormalFormTables(kinds, forms, combining_classes, pairs)


def unicode_version() -> str:
    """Of the shipped tables, like "14.0.0"."""
    with np.load(TABLE_FILE, allow_pickle=False) as table:
        return str(table["unicode_version"])
