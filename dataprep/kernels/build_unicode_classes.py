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

# First and last of each range of Sentence_Terminal (PropList.txt, as the package `regex` 2026.11.15
# has it): `unicodedata` lacks the property. Python may not know all of them; they are marks all the same.
# fmt: off
SENTENCE_ENDS = (
    (0x0021, 0x0021), (0x002E, 0x002E), (0x003F, 0x003F), (0x0589, 0x0589), (0x061D, 0x061F), (0x06D4, 0x06D4),
    (0x0700, 0x0702), (0x07F9, 0x07F9), (0x0837, 0x0837), (0x0839, 0x0839), (0x083D, 0x083E), (0x0964, 0x0965),
    (0x104A, 0x104B), (0x1362, 0x1362), (0x1367, 0x1368), (0x166E, 0x166E), (0x1735, 0x1736), (0x17D4, 0x17D5),
    (0x1803, 0x1803), (0x1809, 0x1809), (0x1944, 0x1945), (0x1AA8, 0x1AAB), (0x1B4E, 0x1B4F), (0x1B5A, 0x1B5B),
    (0x1B5E, 0x1B5F), (0x1B7D, 0x1B7F), (0x1C3B, 0x1C3C), (0x1C7E, 0x1C7F), (0x2024, 0x2024), (0x203C, 0x203D),
    (0x2047, 0x2049), (0x2CF9, 0x2CFB), (0x2E2E, 0x2E2E), (0x2E3C, 0x2E3C), (0x2E53, 0x2E54), (0x2E60, 0x2E61),
    (0x3002, 0x3002), (0xA4FF, 0xA4FF), (0xA60E, 0xA60F), (0xA6F3, 0xA6F3), (0xA6F7, 0xA6F7), (0xA876, 0xA877),
    (0xA8CE, 0xA8CF), (0xA92F, 0xA92F), (0xA9C8, 0xA9C9), (0xAA5D, 0xAA5F), (0xAAF0, 0xAAF1), (0xABEB, 0xABEB),
    (0xFE12, 0xFE12), (0xFE15, 0xFE16), (0xFE52, 0xFE52), (0xFE56, 0xFE57), (0xFF01, 0xFF01), (0xFF0E, 0xFF0E),
    (0xFF1F, 0xFF1F), (0xFF61, 0xFF61), (0x10A56, 0x10A57), (0x10F55, 0x10F59), (0x10F86, 0x10F89),
    (0x11047, 0x11048), (0x110BE, 0x110C1), (0x11141, 0x11143), (0x111C5, 0x111C6), (0x111CD, 0x111CD),
    (0x111DE, 0x111DF), (0x11238, 0x11239), (0x1123B, 0x1123C), (0x112A9, 0x112A9), (0x113D4, 0x113D5),
    (0x1144B, 0x1144C), (0x115C2, 0x115C3), (0x115C9, 0x115D7), (0x11641, 0x11642), (0x1173C, 0x1173E),
    (0x11944, 0x11944), (0x11946, 0x11946), (0x11A42, 0x11A43), (0x11A9B, 0x11A9C), (0x11C41, 0x11C42),
    (0x11EF7, 0x11EF8), (0x11F43, 0x11F44), (0x16A6E, 0x16A6F), (0x16AF5, 0x16AF5), (0x16B37, 0x16B38),
    (0x16B44, 0x16B44), (0x16D6E, 0x16D6F), (0x16E98, 0x16E98), (0x1BC9F, 0x1BC9F), (0x1DA88, 0x1DA88),
)
# fmt: on

# What may stand between the mark that ends a sentence and the space after it: closing brackets and quotation marks,
# opening ones with them, since “ opens in English and closes in German.
CLOSING_CATEGORIES = ("Pe", "Pf", "Pi")
CLOSING_QUOTES = "\"'"

# White_Space (PropList.txt) is Zs, Zl, Zp and these controls: tab, line feed, vertical tab, form feed, carriage
# return, next line. `str.isspace` takes U+001C to U+001F as well, which the property does not.
_WHITESPACE_CONTROLS = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85)


def codepoint_class(codepoint: int) -> int:
    """The class bits of one codepoint."""
    return _word_class(codepoint) | _punctuation_class(codepoint)


def _punctuation_class(codepoint: int) -> int:
    if any(first <= codepoint <= last for first, last in SENTENCE_ENDS):
        return table.SENTENCE_END
    character = chr(codepoint)
    is_closing = unicodedata.category(character) in CLOSING_CATEGORIES or character in CLOSING_QUOTES
    return table.CLOSING if is_closing else 0


def _word_class(codepoint: int) -> int:
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
