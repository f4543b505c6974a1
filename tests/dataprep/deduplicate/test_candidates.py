from itertools import combinations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.candidates import NEIGHBOURS, candidates
from dataprep.deduplicate.edges import EDGES, merge_edges


def band_table(*rows: tuple[int, int]) -> pa.Table:
    """Band rows of (key, id)."""
    return pa.Table.from_pylist(
        [{"partition": 0, "key": key, "id": number.to_bytes(16, "big")} for key, number in rows], BAND_ROWS
    )


def pairs(edges: pa.Table) -> list[tuple[int, int]]:
    assert edges.schema == EDGES
    return [(int.from_bytes(e["low"], "big"), int.from_bytes(e["high"], "big")) for e in edges.to_pylist()]


def test_all_members_of_a_small_bucket_are_linked():
    found = candidates([band_table((5, 30), (5, 10), (9, 1)), band_table((5, 20), (5, 40))], max_bucket=3)
    assert pairs(found.edges) == [(10, 20), (10, 30), (10, 40), (20, 30), (20, 40), (30, 40)]
    assert (found.num_buckets, found.largest_bucket, found.num_large_buckets) == (1, 4, 1)


def test_the_pairs_of_a_large_bucket_grow_with_its_size_and_not_with_its_square():
    found = candidates([band_table(*((1, number) for number in range(1000)))], max_bucket=10)
    assert len(pairs(found.edges)) < (NEIGHBOURS + 1) * 1000
    assert {(0, n) for n in range(1, 1000)} <= set(pairs(found.edges))
    assert (999 - NEIGHBOURS, 999) in pairs(found.edges)
    assert (998 - NEIGHBOURS, 999) not in pairs(found.edges)


def test_a_pair_that_shares_two_buckets_is_one_candidate():
    found = candidates([band_table((1, 7), (1, 8), (2, 7), (2, 8))], max_bucket=2)
    assert pairs(found.edges) == [(7, 8)]
    assert (found.num_buckets, found.largest_bucket, found.num_large_buckets) == (2, 2, 0)
    assert pairs(merge_edges([found.edges, found.edges])) == [(7, 8)]


def test_a_document_that_meets_itself_is_no_candidate():
    found = candidates([band_table((1, 7), (1, 7), (2, 8))], max_bucket=2)
    assert pairs(found.edges) == []
    assert found.largest_bucket == 0


def test_nothing_gives_no_candidates():
    assert candidates([], max_bucket=2).edges.equals(EDGES.empty_table())
    assert candidates([band_table()], max_bucket=2).edges.equals(EDGES.empty_table())
    assert merge_edges([]).equals(EDGES.empty_table())


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=30), st.randoms())
def test_candidates_do_not_depend_on_how_the_rows_lie(rows, random):
    whole = candidates([band_table(*rows)], max_bucket=3)
    expected = set()
    for key in {key for key, _ in rows}:
        members = sorted({number for found, number in rows if found == key})
        expected |= set(combinations(members, 2))  # fewer than NEIGHBOURS
    assert pairs(whole.edges) == sorted(expected)

    random.shuffle(rows)
    cut = random.randint(0, len(rows))
    parts = candidates([band_table(*rows[:cut]), band_table(*rows[cut:])], max_bucket=3)
    assert parts.edges.equals(whole.edges)
    assert (parts.num_buckets, parts.largest_bucket) == (whole.num_buckets, whole.largest_bucket)
