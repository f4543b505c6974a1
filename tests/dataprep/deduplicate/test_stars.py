from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.deduplicate.components import COMPONENTS, components
from dataprep.deduplicate.edges import EDGES
from dataprep.deduplicate.stars import (
    LINKS,
    Sum,
    components_of_stars,
    large_star,
    seen_from_both_ends,
    small_star,
    sum_of,
)

Pairs = list[tuple[int, int]]


def edge_table(pairs: Pairs) -> pa.Table:
    rows = [{"low": low.to_bytes(16, "big"), "high": high.to_bytes(16, "big")} for low, high in pairs]
    return pa.Table.from_pylist(rows, EDGES)


def partitions_of(files: list[tuple[pa.Table, list[int]]], count: int) -> list[list[pa.Table]]:
    return [[table.slice(sum(sizes[:p]), sizes[p]) for table, sizes in files] for p in range(count)]


def links(table: pa.Table) -> Pairs:
    assert table.schema == LINKS
    return [(int.from_bytes(row["node"], "big"), int.from_bytes(row["neighbour"], "big")) for row in table.to_pylist()]


def by_stars(shards: list[Pairs], count: int) -> tuple[pa.Table, int]:
    """The components, and in how many rounds."""
    files = [seen_from_both_ends(edge_table(pairs), count) for pairs in shards]
    before: list[Sum] = []
    for rounds in range(100):
        parts = partitions_of(files, count)
        sums = [sum_of(part) for part in parts]
        if sums == before:
            return pa.concat_tables([components_of_stars(part) for part in parts]).sort_by("id"), rounds
        before = sums
        large = [large_star(part, count) for part in parts]
        files = [small_star(part, count) for part in partitions_of(large, count)]
    raise AssertionError("no end after 100 rounds")


def test_a_large_star_joins_the_greater_neighbours_of_a_node_to_its_least():
    table, sizes = large_star([seen_from_both_ends(edge_table([(1, 2), (2, 3), (2, 4)]), 1)[0]], 1)
    # 1 has 2 beyond it; 2 has 3 and 4, and 1 before it.
    assert (links(table), sizes) == ([(2, 1), (3, 1), (4, 1)], [3])


def test_a_small_star_joins_a_node_and_its_smaller_neighbours_to_the_least_of_them():
    given = pa.Table.from_pylist(
        [{"node": (4).to_bytes(16, "big"), "neighbour": n.to_bytes(16, "big")} for n in (1, 2)], LINKS
    )
    assert links(small_star([given], 1)[0]) == [(1, 2), (1, 4), (2, 1), (4, 1)]


def test_sums_tell_edges_apart_that_have_the_same_ends():
    straight, crossed = ([seen_from_both_ends(edge_table(p), 1)[0]] for p in ([(1, 3), (2, 4)], [(1, 4), (2, 3)]))
    assert sum_of(straight).num_edges == sum_of(crossed).num_edges == 2
    assert sum_of(straight) != sum_of(crossed)
    assert sum_of(straight * 2) == sum_of(straight)  # a link that came twice is one


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_chain_ends_after_few_rounds(backwards):
    chain = list(pairwise(range(2000)))
    found, rounds = by_stars([chain[::-1] if backwards else chain], 3)
    assert found.equals(components(edge_table(chain)))
    assert rounds <= 12  # log2(2000) = 11, and one that sees that nothing changes


def test_a_star_around_its_greatest_node():
    star = [(n, 5000) for n in range(1000)]
    found, rounds = by_stars([star], 4)
    assert found.equals(components(edge_table(star)))
    assert rounds <= 3


def test_no_edges_no_components():
    assert by_stars([[]], 2)[0].equals(COMPONENTS.empty_table())


EDGE = st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda pair: pair[0] < pair[1])


@settings(deadline=None)
@given(st.lists(EDGE, max_size=40), st.integers(1, 5), st.integers(0, 40))
def test_components_are_those_of_the_path_in_memory(pairs, count, cut):
    expected = components(edge_table(pairs))
    assert by_stars([pairs[:cut], pairs[cut:]], count)[0].equals(expected)
