from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.deduplicate import blocks
from dataprep.deduplicate import candidates as candidates_module
from dataprep.deduplicate.blocks import (
    BLOCK_PAIRS,
    batches,
    block_pairs,
    blocks_of_groups,
    distinct_within,
    ends_among,
    in_order_of_blocks,
    merge_blocks,
    text_bytes,
)
from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.edges import EDGES
from dataprep.errors import CorruptDataError
from dataprep.schemas import ID


def id_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


def ids(*numbers: int) -> pa.Array:
    return pa.array([id_of(n) for n in numbers], ID)


def pairs(*rows: tuple[int, int, int]) -> pa.Table:
    """Of (low, high, block); the target is ten times the smaller id."""
    low, high, block = (ids(*part) for part in zip(*rows, strict=True)) if rows else (ids(), ids(), ids())
    edges = pa.Table.from_arrays([low, high], schema=EDGES)
    return block_pairs(edges, block, np.array([10 * row[0] for row in rows], np.int64))


def numbers(table: pa.Table) -> list[tuple[int, ...]]:
    """(low, high, block) of each row."""
    assert table.schema == BLOCK_PAIRS
    names = ("low", "high", "block")
    return [tuple(int.from_bytes(row[name], "big") for name in names) for row in table.to_pylist()]


def facts(**num_bytes: int) -> pa.Table:
    return pa.table({"id": ids(*(int(name[1:]) for name in num_bytes)), "num_bytes": [*num_bytes.values()]})


def test_a_pair_of_several_blocks_is_in_the_smallest():
    merged = merge_blocks([pairs((1, 2, 7), (1, 3, 1)), pairs(), pairs((1, 2, 1), (2, 3, 2), (1, 2, 9))])
    assert numbers(merged) == [(1, 2, 1), (1, 3, 1), (2, 3, 2)]
    assert merged["target"].to_pylist() == [10, 10, 20]
    assert merge_blocks([]).equals(BLOCK_PAIRS.empty_table())


def test_the_block_of_a_candidate_is_the_run_of_its_bucket_that_the_greater_is_in(monkeypatch):
    monkeypatch.setattr(candidates_module, "BLOCK_DOCUMENTS", 2)
    monkeypatch.setattr(candidates_module, "NEIGHBOURS", 1)
    rows = [{"partition": 0, "key": 1, "id": id_of(n)} for n in (1, 2, 3, 4, 5)]
    rows += [{"partition": 0, "key": 2, "id": id_of(n)} for n in (0, 3, 4)]
    found = candidates([pa.Table.from_pylist(rows, BAND_ROWS)], max_bucket=9)
    told = block_pairs(found.edges, found.blocks, np.zeros(found.edges.num_rows))
    # Of 1 to 5 the runs are 1-2, 3-4 and 5; of 0, 3, 4 they are 0-3 and 4. 3 and 4 meet in 3-4 and in 4: 3 is smaller.
    of_first = [(1, 2, 1), (1, 3, 3), (1, 4, 3), (1, 5, 5), (2, 3, 3), (3, 4, 3), (4, 5, 5)]
    assert numbers(told) == [(0, 3, 0), (0, 4, 4), *of_first]


def test_pairs_with_the_first_of_a_group_are_cut_into_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_DOCUMENTS", 2)
    members = pa.table({"id": ids(1, 2, 3, 4, 5, 6), "component": ids(1, 1, 3, 1, 1, 3)})
    far = pa.Table.from_arrays([ids(1, 1, 3, 1), ids(2, 4, 6, 5)], schema=EDGES)
    assert blocks_of_groups(far, members).to_pylist() == [id_of(n) for n in (2, 2, 6, 5)]
    assert blocks_of_groups(EDGES.empty_table(), members).to_pylist() == []
    with pytest.raises(CorruptDataError, match="have no component"):
        blocks_of_groups(far, members.slice(1))


@pytest.mark.parametrize("first", [0, 3, 9])
def test_no_block_of_a_group_is_named_by_its_first_wherever_that_stands_among_the_ids(monkeypatch, first):
    monkeypatch.setattr(blocks, "BLOCK_DOCUMENTS", 3)
    others = [n for n in range(10) if n != first]
    members = pa.table({"id": ids(*range(10), 20, 21), "component": ids(*[0] * 10, 20, 20)})
    ends = [*sorted((min(n, first), max(n, first)) for n in others), (20, 21)]
    far = pa.Table.from_arrays([ids(*(low for low, _ in ends)), ids(*(high for _, high in ends))], schema=EDGES)
    named = blocks_of_groups(far, members).to_pylist()
    sizes = Counter(named[:-1])
    assert sorted(sizes.values()) == [3, 3, 3]
    assert id_of(first) not in sizes
    assert named[-1] in (id_of(20), id_of(21))


def test_the_ends_of_pairs_among_some_documents():
    of_pair, of_id = ends_among(pairs((1, 2, 1), (2, 3, 1), (4, 5, 1)), ids(2, 3))
    assert list(zip(of_pair.tolist(), of_id.tolist(), strict=True)) == [(1, 0), (0, 0), (1, 1)]


def test_what_several_pairs_of_a_block_want_counts_once_for_the_block():
    # Block 1 wants 2 and 3, block 9 wants 3 again.
    wanted = pairs((1, 2, 1), (1, 3, 1), (2, 3, 1), (3, 8, 9))
    assert text_bytes(wanted, facts(n2=10, n3=100)) == 10 + 100 + 100
    assert text_bytes(pairs(), facts(n2=10)) == 0


def test_distinct_rows_within_groups():
    groups, rows = distinct_within(np.array([1, 0, 1, 1]), np.array([5, 7, 2, 5]))
    assert (groups.tolist(), rows.tolist()) == ([0, 1, 1], [7, 2, 5])


def test_batches_keep_blocks_whole_where_they_fit():
    some = in_order_of_blocks(pairs((5, 6, 5), (1, 2, 1), (1, 3, 1), (2, 3, 1), (7, 8, 7)))
    assert numbers(some) == [(1, 2, 1), (1, 3, 1), (2, 3, 1), (5, 6, 5), (7, 8, 7)]
    sizes = facts(n1=10, n2=10, n3=10, n5=10, n6=10, n7=10, n8=10)
    # Block 1 wants 30 bytes, the others 20 each.
    assert list(batches(some, sizes, 70)) == [(0, 5)]
    assert list(batches(some, sizes, 69)) == [(0, 4), (4, 5)]
    assert list(batches(some, sizes, 49)) == [(0, 3), (3, 5)]
    # Cut, its pairs want 20 bytes each; a pair beyond the limit is a range of its own.
    assert list(batches(some, sizes, 29)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert list(batches(some, sizes, 1)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert list(batches(pairs(), sizes, 1)) == []


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(10, 19), st.integers(0, 3)), unique_by=lambda row: row[:2]),
    st.integers(1, 60),
)
def test_batches_are_all_pairs_in_turn_and_none_wants_more_texts_than_may_be(rows, max_bytes):
    some = in_order_of_blocks(pairs(*rows))
    sizes = facts(**{f"n{n}": n for n in range(20)})
    expected = 0
    for start, stop in batches(some, sizes, max_bytes):
        assert start == expected < stop
        expected = stop
        wanted = {end for low, high, _ in numbers(some.slice(start, stop - start)) for end in (low, high)}
        assert sum(wanted) <= max_bytes or stop == start + 1
    assert expected == len(rows)
