import unicodedata

import numpy as np
import pytest

from dataprep.kernels.build_unicode_classes import build
from dataprep.kernels.unicode_classes import (
    CLOSING,
    DIGIT,
    LETTER,
    MARK,
    NUM_CODEPOINTS,
    SENTENCE_END,
    SINGLE,
    TABLE_FILE,
    WHITESPACE,
    unicode_classes,
)


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", LETTER),
        ("é", LETTER),
        ("\u0301", MARK),  # COMBINING ACUTE ACCENT
        ("7", DIGIT),
        ("²", DIGIT),
        ("Ⅷ", DIGIT),
        (" ", WHITESPACE),
        ("\u00a0", WHITESPACE),
        ("\u3000", WHITESPACE),
        ("\n", WHITESPACE),
        ("\x1c", 0),  # str.isspace says yes, White_Space says no
        ("'", CLOSING),
        (")", CLOSING),
        ("(", 0),
        ("”", CLOSING),
        ("„", 0),
        ("“", CLOSING),  # it opens in English, and closes in German
        (".", SENTENCE_END),
        ("。", SENTENCE_END),
        ("؟", SENTENCE_END),
        ("।", SENTENCE_END),
        ("…", 0),
        (",", 0),
        ("_", 0),
        ("東", LETTER | SINGLE),
        ("々", LETTER | SINGLE),
        ("ひ", LETTER | SINGLE),
        ("ー", LETTER | SINGLE),
        ("ｶ", LETTER | SINGLE),  # HALFWIDTH KATAKANA LETTER KA
        ("ก", LETTER | SINGLE),
        ("ກ", LETTER | SINGLE),
        ("ក", LETTER | SINGLE),
        ("က", LETTER | SINGLE),
        ("\u0e31", MARK),  # THAI CHARACTER MAI HAN-AKAT
        ("한", LETTER),  # Hangul is written with spaces
        ("\U0010ffff", 0),
    ],
)
def test_a_character_has_the_bits_of_its_class(character, expected):
    assert unicode_classes().classes[ord(character)] == expected


@pytest.mark.parametrize(("upper", "lower"), [("A", "a"), ("Σ", "σ"), ("Ж", "ж"), ("İ", "i"), ("ß", "ß"), ("9", "9")])
def test_lowercase_is_one_codepoint_for_one(upper, lower):
    assert chr(unicode_classes().lower[ord(upper)]) == lower


def test_the_tables_cover_the_code_space_and_cannot_be_written():
    tables = unicode_classes()
    assert len(tables.classes) == len(tables.lower) == NUM_CODEPOINTS
    assert not tables.classes.flags.writeable
    assert not tables.lower.flags.writeable


def test_lowercase_of_lowercase_is_itself():
    lower = unicode_classes().lower
    assert np.array_equal(lower[lower], lower)


@pytest.mark.skipif(
    unicodedata.unidata_version != unicode_classes().unicode_version,
    reason="this Python carries another Unicode version than the shipped table",
)
def test_the_shipped_file_is_what_unicodedata_says():
    with np.load(TABLE_FILE) as shipped:
        for name, built in build().items():
            assert np.array_equal(shipped[name], built), name


def test_the_shipped_file_is_small():
    assert TABLE_FILE.stat().st_size < 32_000  # bytes
