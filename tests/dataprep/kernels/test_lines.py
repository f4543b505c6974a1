import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels.lines import BULLETS, LineStatistics, line_statistics
from dataprep.kernels.unicode_classes import WHITESPACE, unicode_classes


def counts(*texts: str) -> list[tuple[int, ...]]:
    """Per text: characters, lines, bullet lines, ellipsis lines, hashes, ellipses."""
    statistics = line_statistics(pa.array(texts, pa.large_string()))
    return list(zip(*(getattr(statistics, name).tolist() for name in LineStatistics.__annotations__), strict=True))


def test_blank_lines_do_not_count():
    assert counts("a\n\n \t\u00a0\r\nb\n") == [(10, 2, 0, 0, 0, 0)]


def test_bullets_count_at_the_start_of_a_line_only():
    assert counts("- a\n  • b\n* c\nd - e") == [(19, 4, 3, 0, 0, 0)]


def test_ellipses_count_anywhere_and_lines_that_end_in_one():
    assert counts("go on…\nor not... \nso ... be it") == [(30, 3, 0, 2, 0, 3)]


def test_six_dots_are_two_ellipses_and_four_are_one():
    assert counts("......", "....", "..", ". . .") == [
        (6, 1, 0, 1, 0, 2),
        (4, 1, 0, 1, 0, 1),
        (2, 1, 0, 0, 0, 0),
        (5, 1, 0, 0, 0, 0),
    ]


def test_hashes_and_characters_are_counted_in_codepoints():
    assert counts("#東京 #é", "") == [(6, 1, 0, 0, 2, 0), (0, 0, 0, 0, 0, 0)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("a#.…-• \n\u00a0東é"), max_size=20), max_size=4))
def test_counts_are_those_of_slow_python(texts):
    spaces = "".join(chr(c) for c in (unicode_classes().classes & WHITESPACE).nonzero()[0])
    expected = []
    for text in texts:
        lines = [line.strip(spaces) for line in text.split("\n")]
        expected.append(
            (
                len(text),
                sum(line != "" for line in lines),
                sum(line != "" and ord(line[0]) in BULLETS for line in lines),
                sum(line.endswith(("...", "…")) for line in lines),
                text.count("#"),
                text.count("...") + text.count("…"),
            )
        )
    assert counts(*texts) == expected
