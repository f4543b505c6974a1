import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels import unicode_classes as table
from dataprep.kernels.words import find_words

MASK_64 = 2**64 - 1
P1, P2, P3, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5

# Characters of every class, and arbitrary ones between them.
TEXT = st.text(
    st.one_of(
        st.sampled_from("aZ9 é\n.'-\u0301東京ひーカก\u0e31ກက\u103bក٣²İKΣ\u00a0\u3000😀\U0001d400"),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=40,
)


def slow_words(text: str) -> list[str]:
    """The definition, character by character: S M* or (W | M)+ for unspaced letters S, marks M, other letters W."""
    classes = table.unicode_classes().classes
    words: list[str] = []
    inside = None
    for character in text:
        kind = classes[ord(character)]
        if kind & table.SINGLE:
            words.append(character)
            inside = "unspaced"
        elif kind & table.MARK and inside is not None:
            words[-1] += character
        elif kind & table.WORD:
            if inside == "run":
                words[-1] += character
            else:
                words.append(character)
                inside = "run"
        else:
            inside = None
    return words


def slow_hash(word: str) -> int:
    lower = table.unicode_classes().lower
    characters = "".join(chr(lower[ord(character)]) for character in word).encode("utf-8", "surrogatepass")
    state = P5
    for start in range(0, len(characters), 8):
        state = (state + int.from_bytes(characters[start : start + 8], "little") * P2) & MASK_64
        state = ((state << 31) | (state >> 33)) & MASK_64
        state = state * P1 & MASK_64
    state = (state ^ (state >> 33)) * P2 & MASK_64
    state = (state ^ (state >> 29)) * P3 & MASK_64
    return state ^ (state >> 32)


def found(text: pa.LargeStringArray) -> list[list[tuple[int, int, bool]]]:
    words = find_words(text)
    rows = list(
        zip(words.hashes.tolist(), words.num_characters.tolist(), words.has_letter.tolist(), strict=True),
    )
    return [rows[start:end] for start, end in zip(words.offsets[:-1], words.offsets[1:], strict=True)]


def expected(text: str) -> list[tuple[int, int, bool]]:
    classes = table.unicode_classes().classes
    return [
        (slow_hash(word), len(word), any(classes[ord(c)] & table.LETTER for c in word)) for word in slow_words(text)
    ]


def large(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def lengths(text: str) -> list[int]:
    return find_words(large(text)).num_characters.tolist()


def test_apostrophe_and_hyphen_separate():
    assert lengths("Don't be well-known") == [3, 1, 2, 4, 5]


def test_a_letter_of_an_unspaced_script_is_a_word_with_its_marks():
    # 東 | 京 | 2020 | ที่ is THO THAHAN with two marks
    assert lengths("東京2020") == [1, 1, 4]
    assert lengths("ที่") == [3]
    assert lengths("a東b") == [1, 1, 1]


def test_case_does_not_count():
    words = find_words(large("The THE the ΣΑΣ σας"))
    assert words.hashes[0] == words.hashes[1] == words.hashes[2]
    # One-to-one mapping: capital sigma becomes σ everywhere, so ΣΑΣ is σασ and not σας.
    assert words.hashes[3] != words.hashes[4]


def test_order_of_letters_counts():
    words = find_words(large("listen silent"))
    assert words.hashes[0] != words.hashes[1]


def test_a_word_of_digits_has_no_letter():
    assert find_words(large("x86 1234 ١٢")).has_letter.tolist() == [True, False, False]


def test_there_are_no_words_in_nothing():
    assert find_words(large()).offsets.tolist() == [0]
    assert find_words(large("", " \n", "!?")).offsets.tolist() == [0, 0, 0, 0]


def test_half_of_the_bytes_may_be_words():
    # The tightest texts there are: one byte a word, and one and three bytes in turn.
    assert len(find_words(large("a b c", "d", "a東b東c")).hashes) == 3 + 1 + 5


def test_broken_utf8_is_not_read_past_its_end():
    broken = pa.array([b"ab\xe6", b"cd\xf0\x9f", b"\xffef\x80"], pa.large_binary()).view(pa.large_string())
    assert find_words(broken).num_characters.tolist() == [2, 2, 2]


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_words_are_those_of_the_slow_definition_also_in_a_slice(texts, start, length):
    sliced = large(*texts).slice(min(start, len(texts)), length)
    assert found(sliced) == [expected(text) for text in sliced.to_pylist()]


# Longer than the blocks in which text is looked at, with words that reach over their ends.
ASCII = ["The", "a", "x86", "42", " ", "  ", "\n", "-", ".", "Z" * 31, "q" * 70]
SPACED = ["é", "ñandú", "ß", "\u0301", "ЖУРНАЛ", "жизнь ", "İ", "\u212a", "हिन्दी", "한국어 ", "٣٢", "\U0001d400"]
OTHERS = ["東", "ที่นี่", "かカ", "“", "—", "\u2028", "😀"]
LONG = st.lists(st.sampled_from([*ASCII, *SPACED, *OTHERS]), min_size=10, max_size=120).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(LONG, max_size=3))
def test_words_of_whole_blocks_are_those_of_the_slow_definition(texts):
    assert found(large(*texts)) == [expected(text) for text in texts]


LENGTHS = ["seven77", "eightght", "nineninen", "Z" * 16, "q" * 25, "\u212aelvin", "東", "ที่"]


@pytest.mark.parametrize("word", [*LENGTHS, *(word.strip() for word in SPACED)])
def test_a_word_is_the_same_wherever_it_stands(word):
    for before in ("-", "“", "x ", "é ", "東 "):
        for number in range(1, 40):
            assert found(large(before * number + word + " " * 60))[0][-1] == expected(word)[0]
