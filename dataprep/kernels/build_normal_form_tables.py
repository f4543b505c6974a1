"""Makes `normal_form_tables.npz` from the running Python's `unicodedata`. Run by hand:

python -m dataprep.kernels.build_normal_form_tables

A newer Unicode changes texts: raise the version of `clean`, too. A codepoint that the tables do not know (assigned in a
later Unicode) stays as it is, whatever Python says of it; what they know, every later Unicode composes in the same way
(Unicode Character Encoding Stability Policies, Normalization Stability).
"""

import unicodedata

import numpy as np

from dataprep.kernels import normal_form_tables as table
from dataprep.kernels.unicode_classes import NUM_CODEPOINTS

LINE_BREAKS = (0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
JOINERS = (0x200C, 0x200D)

# Of no width, and nothing that the text says: soft hyphen and zero width space (where a line may be broken), word
# joiner and byte order mark (where not), the marks of writing direction (left-to-right mark, embeddings, overrides,
# isolates: how a display orders what stands in logical order), invisible operators, the deprecated format controls,
# the brackets of interlinear annotation.
INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x061C, 0x061C),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2064),
    (0x2066, 0x206F),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
)

# `unicodedata` has no Script property. Cursive scripts (Joining_Type other than U, ArabicShaping.txt) and those whose
# letters form conjuncts (Indic_Syllabic_Category Virama or Invisible_Stacker), by the names of their characters.
JOINING_NAMES = (
    *("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "PHAGS-PA", "MANICHAEAN", "PSALTER PAHLAVI", "SOGDIAN"),
    *("HANIFI ROHINGYA", "CHORASMIAN", "ADLAM", "OLD UYGHUR"),
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA"),
    *("KHMER", "MYANMAR", "BALINESE", "JAVANESE", "SUNDANESE", "TAI THAM", "MEETEI MAYEK", "CHAKMA", "GRANTHA"),
    *("TIRHUTA", "NEWA", "SHARADA", "KAITHI", "MODI", "SIDDHAM", "BRAHMI", "KHOJKI", "KHUDAWADI", "TAKRI", "DOGRA"),
)

PICTOGRAPHIC_RANGES = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
"""Blocks of Extended_Pictographic (emoji-data.txt), with what later Unicodes put there."""

VARIATION_SELECTOR_16 = 0xFE0F  # stands behind a pictograph, before the joiner


def primary_composites() -> list[tuple[int, int]]:
    """The pairs that compose, but for Hangul."""
    pairs = []
    for codepoint in range(NUM_CODEPOINTS):
        mapping = unicodedata.decomposition(chr(codepoint))
        if mapping and not mapping.startswith("<") and " " in mapping:
            first, second = (int(part, 16) for part in mapping.split())
            if unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(codepoint):
                pairs.append((first, second))
    return sorted(pairs)


def codepoint_bits(codepoint: int, seconds: set[int]) -> tuple[int, int, int]:
    """The bits of `kinds` and of `forms`, and the combining class."""
    character = chr(codepoint)
    if 0xD800 <= codepoint <= 0xDFFF:
        return table.CONTROL, 0, 0
    combining_class = unicodedata.combining(character)
    forms = table.MAYBE if codepoint in seconds else 0
    forms |= table.NOT_NFC if unicodedata.normalize("NFC", character) != character else 0
    forms |= table.NOT_NFKC if unicodedata.normalize("NFKC", character) != character else 0
    mapping = unicodedata.decomposition(character)
    forms |= table.COMPOSITE if mapping and not mapping.startswith("<") else 0
    forms |= neighbour_bits(codepoint)
    kinds = character_kind(codepoint)
    if combining_class or forms & (table.NOT_NFC | table.MAYBE):
        kinds |= table.SUSPECT_NFC
    if combining_class or forms & (table.NOT_NFKC | table.MAYBE):
        kinds |= table.SUSPECT_NFKC
    return kinds, forms, combining_class


def character_kind(codepoint: int) -> int:
    """The bits of `kinds` that do not depend on a normal form."""
    category = unicodedata.category(chr(codepoint))
    if codepoint in LINE_BREAKS:
        return table.LINE_BREAK
    if codepoint in JOINERS:
        return table.JOINER
    if any(first <= codepoint <= last for first, last in INVISIBLE_RANGES):
        return table.INVISIBLE
    if codepoint == 0x09 or category == "Zs":
        return table.BLANK
    is_noncharacter = 0xFDD0 <= codepoint <= 0xFDEF or codepoint & 0xFFFE == 0xFFFE
    if is_noncharacter or (category == "Cc" and codepoint != 0x0A):
        return table.CONTROL
    return table.COMBINING if category[0] == "M" else 0


def neighbour_bits(codepoint: int) -> int:
    """The bits of `forms` that say what a joiner beside it is for."""
    character = chr(codepoint)
    category = unicodedata.category(character)
    if category[0] in "LM" and unicodedata.name(character, "").startswith(JOINING_NAMES):
        return table.JOINS
    in_range = any(first <= codepoint <= last for first, last in PICTOGRAPHIC_RANGES)
    # One that NFKC writes as letters (U+2122, trade mark) would let its joiner stand beside letters.
    if in_range and category in ("So", "Sk", "Cn") and not unicodedata.decomposition(character):
        return table.PICTOGRAPH
    return table.PICTOGRAPH if codepoint == VARIATION_SELECTOR_16 else 0


def build() -> dict[str, np.ndarray]:
    """The arrays of the file: ranges (start; kinds, forms, combining class) and pairs."""
    pairs = primary_composites()
    hangul = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}  # vowels and trailing consonants
    seconds = {second for _, second in pairs} | hangul
    values = np.array([codepoint_bits(c, seconds) for c in range(NUM_CODEPOINTS)], np.uint8).T
    changes = (np.diff(values, axis=1) != 0).any(axis=0)
    starts = np.flatnonzero(np.concatenate(([True], changes))).astype(np.uint32)
    return {
        "range_starts": starts,
        "range_values": values[:, starts],
        "pairs": np.array([first << 32 | second for first, second in pairs], np.uint64),
        "unicode_version": np.array(unicodedata.unidata_version),
    }


def main() -> None:
    np.savez_compressed(table.TABLE_FILE, allow_pickle=False, **build())


if __name__ == "__main__":
    main()
