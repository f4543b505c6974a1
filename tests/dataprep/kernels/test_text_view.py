import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import schemas
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_view import num_surviving_bytes, surviving_text

Row = list[tuple[int, int] | tuple[int, int, str]]


def edits_of(texts: list[str], cuts: list[Row]) -> pa.Table:
    """Edits of (start, end) or (start, end, what stands in their place)."""
    added = [[(*cut, "")[2] for cut in row] for row in cuts]
    return pa.table(
        {
            "id": [i.to_bytes(16, "big") for i in range(len(texts))],
            "num_bytes": [len(text.encode()) for text in texts],
            "num_cut_bytes": [sum(cut[1] - cut[0] for cut in row) for row in cuts],
            "num_added_bytes": [len("".join(row).encode()) for row in added],
            "cut_starts": [[cut[0] for cut in row] for row in cuts],
            "cut_ends": [[cut[1] for cut in row] for row in cuts],
            "cut_rules": [[0] * len(row) for row in cuts],
            "added_lengths": [[len(text.encode()) for text in row] for row in added],
            "added_text": ["".join(row) for row in added],
            "num_words_in_lines": [0] * len(texts),
            "num_words_in_refinedweb_lines": [0] * len(texts),
        },
        schemas.EDITS,
    )


def view(texts: list[str], cuts: list[Row]) -> list[str]:
    return surviving_text(pa.array(texts, pa.large_string()), edits_of(texts, cuts)).to_pylist()


def test_cuts_are_left_out():
    assert view(["abcdef", "", "é東x"], [[(0, 1), (3, 5)], [], [(2, 5)]]) == ["bcf", "", "éx"]


def test_what_is_added_stands_in_the_place_of_its_cut():
    cuts = [[(0, 1, "é"), (3, 5), (5, 6, "xyz")], [], [(2, 5, "西")]]
    assert view(["abcdef", "", "é東x"], cuts) == ["ébcxyz", "", "é西x"]


def with_column(edits: pa.Table, name: str, values: list) -> pa.Table:
    at = edits.schema.get_field_index(name)
    return edits.set_column(at, edits.schema.field(at), pa.array(values, edits.schema.field(at).type))


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ([1, 1], "xé"),  # the second ends in the middle of é
        ([3, 1], "xé"),  # more than there is
        ([1, 0], "xé"),  # less
        ([-1, 4], "xé"),
        ([2, 1], "xé"),  # the second starts in the middle of é
    ],
)
def test_lengths_that_do_not_part_the_added_text_are_refused(lengths, text):
    edits = with_column(edits_of(["y", "abcd"], [[], [(0, 1, "x"), (2, 3, "é")]]), "added_lengths", [[], lengths])
    edits = with_column(edits, "added_text", ["", text])
    with pytest.raises(CorruptDataError, match="row 1"):
        surviving_text(pa.array(["y", "abcd"], pa.large_string()), edits)


def test_a_wrong_sum_of_added_bytes_is_refused():
    edits = with_column(edits_of(["abc"], [[(0, 1, "x")]]), "num_added_bytes", [2])
    with pytest.raises(CorruptDataError, match="num_added_bytes 2, but `added_text` gives 1"):
        surviving_text(pa.array(["abc"], pa.large_string()), edits)


def test_bytes_that_survive_are_counted_from_the_edits_alone():
    assert num_surviving_bytes(edits_of(["abcd", ""], [[(0, 3, "é")], []])).to_pylist() == [3, 0]


def test_a_whole_text_may_go_and_cuts_may_touch():
    assert view(["abc", "defg"], [[(0, 3)], [(0, 1), (1, 2)]]) == ["", "fg"]


def test_texts_without_cuts_are_not_copied():
    texts = pa.array(["abc", "d"], pa.large_string())
    assert surviving_text(texts, edits_of(["abc", "d"], [[], []])) is texts


@pytest.mark.parametrize(
    "cuts",
    [
        [(0, 9)],  # beyond the end
        [(-1, 2)],  # before the start
        [(2, 2)],  # empty
        [(3, 2)],
        [(0, 3), (2, 4)],  # overlap
        [(4, 5), (0, 1)],  # out of order
        [(0, 1), (6, 8)],  # ends in the middle of 東, which is bytes 5 to 8
    ],
)
def test_cuts_that_do_not_fit_the_text_are_refused(cuts):
    with pytest.raises(CorruptDataError, match="row 1"):
        view(["x", "abcde東"], [[], cuts])


def test_edits_of_another_shard_are_refused():
    texts = pa.array(["abc"], pa.large_string())
    with pytest.raises(CorruptDataError, match="1 texts, but edits for 2"):
        surviving_text(texts, edits_of(["abc", "d"], [[], []]))
    with pytest.raises(CorruptDataError, match="num_bytes 4, but the text gives 3"):
        surviving_text(texts, edits_of(["abcd"], [[]]))


def test_a_wrong_sum_of_cut_bytes_is_refused():
    edits = with_column(edits_of(["abc"], [[(0, 1)]]), "num_cut_bytes", [2])
    with pytest.raises(CorruptDataError, match="num_cut_bytes 2, but their sum gives 1"):
        surviving_text(pa.array(["abc"], pa.large_string()), edits)


@st.composite
def texts_and_cuts(draw):
    texts = draw(st.lists(st.text(st.sampled_from("ab é東😀\n"), max_size=12), max_size=5))
    cuts = []
    for text in texts:
        points = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        in_bytes = [len(text[:point].encode()) for point in points]
        spans = zip(in_bytes[::2], in_bytes[1::2], strict=False)
        cuts.append([(*span, draw(st.sampled_from(["", "", "z", "é東"]))) for span in spans])
    return texts, cuts


@settings(max_examples=150, deadline=None)
@given(texts_and_cuts(), st.integers(0, 5), st.integers(0, 5))
def test_the_view_is_what_python_slicing_leaves_also_in_a_slice(case, start, length):
    texts, cuts = case
    expected = []
    for text, row in zip(texts, cuts, strict=True):
        data = text.encode()
        for cut_start, cut_end, added in reversed(row):
            data = data[:cut_start] + added.encode() + data[cut_end:]
        expected.append(data.decode())
    start = min(start, len(texts))
    text = pa.array(texts, pa.large_string()).slice(start, length)
    result = surviving_text(text, edits_of(texts, cuts).slice(start, length))
    result.validate(full=True)
    assert result.to_pylist() == expected[start : start + length]
