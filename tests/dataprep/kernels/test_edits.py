import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels.edits import Edits, Room, apply, joined, spread, then

Row = list[tuple[int, int, str]]


def edits_of(*rows: Row, rule: int = 0) -> Edits:
    """Edits of (start, end, what stands in their place), a row for each text."""
    flat = [edit for row in rows for edit in row]
    return Edits(
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([start for start, _, _ in flat], np.int64),
        np.array([end for _, end, _ in flat], np.int64),
        np.full(len(flat), rule, np.int8),
        np.cumsum([0, *(len(added) for _, _, added in flat)], dtype=np.int64),
        np.frombuffer("".join(added for _, _, added in flat).encode(), np.uint8),
    )


def rows_of(edits: Edits) -> list[Row]:
    added = edits.added.tobytes().decode()
    flat = [
        (start, end, added[first:last])
        for start, end, first, last in zip(
            edits.starts.tolist(),
            edits.ends.tolist(),
            edits.added_offsets[:-1].tolist(),
            edits.added_offsets[1:].tolist(),
            strict=True,
        )
    ]
    return [flat[a:b] for a, b in zip(edits.offsets[:-1], edits.offsets[1:], strict=True)]


def applied(texts: list[str], edits: Edits) -> list[str]:
    return apply(pa.array(texts, pa.large_string()), edits).to_pylist()


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        # Apart: "abcdef" -> "aXdef" -> "aXd".
        ([(1, 3, "X")], [(3, 5, "")], [(1, 3, "X"), (4, 6, "")]),
        # A cut around what the first changed takes it: "aXdef" -> "af".
        ([(1, 3, "X")], [(1, 4, "")], [(1, 5, "")]),
        # A cut that begins within what the first put there: "aXYZdef" -> "aX|ef".
        ([(1, 3, "XYZ")], [(2, 5, "")], [(1, 4, "X")]),
        # Two within one place: "aXYZdef" -> "aXqZef" would touch; here "a", q for X, Y stays, r for Z.
        ([(1, 3, "XYZ")], [(1, 2, "q"), (3, 4, "r")], [(1, 3, "qYr")]),
        # One that only touches stays apart, on either side.
        ([(2, 4, "X")], [(1, 2, ""), (3, 4, "")], [(1, 2, ""), (2, 4, "X"), (4, 5, "")]),
        # What the first cut without a trace is within: "abef" -> "af".
        ([(2, 4, "")], [(1, 3, "")], [(1, 5, "")]),
        # And at the edge: "abef" -> "ab" + "f".
        ([(2, 4, "")], [(2, 3, "")], [(2, 4, ""), (4, 5, "")]),
    ],
)
def test_two_lists_of_edits_become_one(first, second, both):
    merged = then(edits_of(first), edits_of(second))
    assert rows_of(merged) == [both]
    assert applied(["abcdef"], merged) == applied(applied(["abcdef"], edits_of(first)), edits_of(second))


def test_what_is_merged_carries_the_rule_of_the_later_edit():
    merged = then(edits_of([(0, 1, "X"), (3, 4, "")], rule=1), edits_of([(2, 4, "")], rule=2))
    assert rows_of(merged) == [[(0, 1, "X"), (2, 5, "")]]
    assert merged.rules.tolist() == [1, 2]


def test_batches_are_joined():
    edits = joined([edits_of([(0, 1, "xy")], []), edits_of([(1, 2, "")], [(0, 3, "z")])])
    assert rows_of(edits) == [[(0, 1, "xy")], [], [(1, 2, "")], [(0, 3, "z")]]
    assert edits.num_added_bytes().tolist() == [2, 0, 0, 1]
    assert edits.num_cut_bytes().tolist() == [1, 0, 1, 3]


@st.composite
def edits_for(draw, texts: list[str]) -> Edits:
    rows = []
    for text in texts:
        points = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
        added = st.sampled_from(["", "", "x", "yz", "0123"])
        rows.append([(start, end, draw(added)) for start, end in zip(points[::2], points[1::2], strict=False)])
    return edits_of(*rows)


@settings(max_examples=500, deadline=None)
@given(st.data(), st.lists(st.text("abcdef", max_size=14), max_size=3))
def test_edits_at_once_do_what_they_do_one_after_the_other(data, texts):
    first = data.draw(edits_for(texts))
    between = applied(texts, first)
    second = data.draw(edits_for(between))
    merged = then(first, second)
    assert applied(texts, merged) == applied(between, second)
    for row in rows_of(merged):
        ends = [0, *(end for _, end, _ in row)]
        assert all(ends[i] <= start < end for i, (start, end, _) in enumerate(row))


def test_edits_of_some_texts_stand_at_their_rows_among_all():
    some = edits_of([(0, 1, "x")], [(1, 2, ""), (3, 4, "yz")])
    assert rows_of(spread(some, np.array([1, 3]), 5)) == [[], [(0, 1, "x")], [], [(1, 2, ""), (3, 4, "yz")], []]


def test_a_room_is_written_anew_by_the_next_batch_whether_longer_or_shorter():
    room = Room()
    for texts, edits, left in (
        (["abcd"], edits_of([(1, 2, "")]), ["acd"]),
        (["abcdefgh", "x"], edits_of([(0, 1, "zz")], []), ["zzbcdefgh", "x"]),
        (["ab"], edits_of([(0, 1, "")]), ["b"]),
    ):
        assert apply(pa.array(texts, pa.large_string()), edits, room).to_pylist() == left
