import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.filters import papers
from dataprep.kernels.lines import COLUMNS, line_statistics


def counts(text: str, *names: str) -> tuple[int, ...]:
    statistics = line_statistics(pa.array([text], pa.large_string()))
    return tuple(int(getattr(statistics, name)[0]) for name in names)


def test_blank_lines_do_not_count():
    assert counts("a\n\n \t\u00a0\r\nb\n", "num_characters", "num_newlines", "num_lines") == (10, 4, 2)


def test_whitespace_at_the_ends_of_a_line_is_not_of_it():
    assert counts(" \u00a0a é\u3000\r\n\tb", "num_characters", "num_line_characters") == (10, 4)


def test_bullets_count_at_the_start_of_a_line_only():
    assert counts("- a\n  • b\n* c\nd - e", "num_lines", "num_bullet_lines") == (4, 3)


def test_ellipses_count_anywhere_and_lines_that_end_in_one():
    text = "go on…\nor not... \nso ... be it"
    assert counts(text, "num_lines", "num_ellipsis_lines", "num_ellipses") == (3, 2, 3)


@pytest.mark.parametrize(
    ("text", "expected"), [("......", (1, 2)), ("....", (1, 1)), ("..", (0, 0)), (". . .", (0, 0))]
)
def test_six_dots_are_two_ellipses_and_four_are_one(text, expected):
    assert counts(text, "num_ellipsis_lines", "num_ellipses") == expected


def test_hashes_brackets_and_characters_are_counted_in_codepoints():
    assert counts("#東京 {#é}{", "num_characters", "num_hashes", "num_curly_brackets") == (9, 2, 2)
    assert counts("", *COLUMNS) == (0,) * len(COLUMNS)


def test_a_line_of_29_characters_is_short_and_one_of_30_is_not():
    assert counts(f"{'é' * 29}\n {'a' * 29} \n{'b' * 30}", "num_lines", "num_short_lines") == (3, 2)


def test_marks_of_every_script_end_a_line():
    text = "One.\nTwo?\nThree!\nफिर।\nそう。\nكيف؟\n(No.)\n“No.”\nno\nno:"
    assert counts(text, "num_lines", "num_punctuated_lines") == (10, 6)


def test_a_line_is_a_duplicate_of_an_earlier_one_whatever_its_indent():
    # "ab c" is there three times, twice of which it is a duplicate: 2 x 4 characters. "Ab c" is another line.
    text = "ab c\n  ab c\nx\nAb c\n\nab c \n"
    names = ("num_lines", "num_duplicate_lines", "num_duplicate_line_characters")
    assert counts(text, *names) == (5, 2, 8)


def test_a_paragraph_is_a_duplicate_when_all_its_lines_are_in_order():
    # Paragraphs: (a, bc) (bc, a) (a, bc): the third repeats the first, 3 characters. A line that only looks blank
    # parts paragraphs, too.
    text = "\na\nbc\n \t\nbc\na\n\n\n a\n bc"
    names = ("num_paragraphs", "num_duplicate_paragraphs", "num_duplicate_paragraph_characters")
    assert counts(text, *names) == (3, 1, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", 3),
        ("No mark, no sentence", 0),
        ("3.14 a.b() file.txt", 0),
        ("1. Install. 2. Run.", 2),  # a number is none
        ("Wait... What?! He said “no.” (Really.)", 4),
        ("One。Two！三？", 3),
        ("First line.\nSecond\nline.", 2),
        ("... ?! .", 0),
        ("कहाँ।फिर॥", 2),
        ("e.g. this.", 2),  # an abbreviation is taken for an end
        ("a." + ")" * 3 + "b.", 1),
    ],
)
def test_sentences_end_at_marks(text, expected):
    assert counts(text, "num_sentences") == (expected,)


def test_a_long_run_of_marks_is_looked_at_once():
    text = "a" + '!"' * 500_000 + "b"
    start = time.perf_counter()
    assert counts(text, "num_sentences") == (0,)
    assert time.perf_counter() - start < 5  # seconds; looking again at each mark took hours


def test_broken_utf8_is_not_read_past_its_end():
    broken = pa.array([b"ab\xe6", b"\x80 \xf0\x9f\x98", b"\xff\n\xc2"], pa.large_binary()).view(pa.large_string())
    assert line_statistics(broken).num_characters.tolist() == [3, 5, 3]
    assert line_statistics(broken).num_lines.tolist() == [1, 1, 2]


LINE = st.text(st.sampled_from("aB#.…-•!?{ \t\u00a0\u3000東。é\"')"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(LINE, max_size=8).map("\n".join), max_size=4), st.integers(0, 3))
def test_counts_are_those_of_slow_python_also_in_a_slice(texts, start):
    sliced = pa.array(texts, pa.large_string()).slice(min(start, len(texts)))
    statistics = line_statistics(sliced)
    for row, text in enumerate(sliced.to_pylist()):
        expected = papers.statistics(text)
        assert {name: getattr(statistics, name)[row] for name in COLUMNS} == {name: expected[name] for name in COLUMNS}
