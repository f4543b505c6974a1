"""Makes `unicode_classes.npz` from the running Python's `unicodedata`. Run by hand:

python -m dataprep.kernels.build_unicode_classes

A newer Unicode changes words, hence signatures: raise the versions of the steps that read them, too.
"""

import unicodedata

import numpy as np

from dataprep.kernels import unicode_classes as table
from dataprep.kernels.unicode_classes import NUM_CODEPOINTS

# `unicodedata` has no Script property. The names of the letters of these scripts start with these words (Unicode
# Standard, section 4.8); the kana length and iteration marks, and the ideographic ones, are letters (Lm) among them.
UNSPACED_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "VERTICAL IDEOGRAPHIC",
    "OLD CHINESE ITERATION MARK",
    "HIRAGANA",
    "HENTAIGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "VERTICAL KANA",
    "MASU MARK",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)

# White_Space (PropList.txt) is Zs, Zl, Zp and these controls: tab, line feed, vertical tab, form feed, carriage
# return, next line. `str.isspace` takes U+001C to U+001F as well, which the property does not.
_WHITESPACE_CONTROLS = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85)


def codepoint_class(codepoint: int) -> int:
    """The class bits of one codepoint."""
    character = chr(codepoint)
    category = unicodedata.category(character)
    if category[0] == "L":
        unspaced = unicodedata.name(character, "").startswith(UNSPACED_NAMES)
        return table.LETTER | (table.SINGLE if unspaced else 0)
    if category[0] == "M":
        return table.MARK
    if category[0] == "N":
        return table.DIGIT
    if category[0] == "Z" or codepoint in _WHITESPACE_CONTROLS:
        return table.WHITESPACE
    return 0


def simple_lowercase(codepoint: int) -> int:
    """The one-to-one lowercase mapping.

    U+0130 alone has a full mapping of two codepoints, i and a dot; its simple one is the first of them.
    """
    if 0xD800 <= codepoint <= 0xDFFF:  # surrogates are no characters
        return codepoint
    return ord(chr(codepoint).lower()[0])


def build() -> dict[str, np.ndarray]:
    """The arrays of the file: classes as ranges (start, class) and the codepoints that have a lowercase."""
    classes = np.array([codepoint_class(c) for c in range(NUM_CODEPOINTS)], dtype=np.uint8)
    lower = np.array([simple_lowercase(c) for c in range(NUM_CODEPOINTS)], dtype=np.uint32)
    starts = np.flatnonzero(np.diff(classes, prepend=np.uint8(255))).astype(np.uint32)
    cased = np.flatnonzero(lower != np.arange(NUM_CODEPOINTS)).astype(np.uint32)
    return {
        "range_starts": starts,
        "range_classes": classes[starts],
        "cased": cased,
        "lowered": lower[cased],
        "unicode_version": np.array(unicodedata.unidata_version),
    }


def main() -> None:
    np.savez_compressed(table.TABLE_FILE, allow_pickle=False, **build())


if __name__ == "__main__":
    main()
