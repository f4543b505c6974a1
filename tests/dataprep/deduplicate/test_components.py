import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dataprep.deduplicate.components import COMPONENTS, Joined, components
from dataprep.deduplicate.edges import EDGES


def edges(*pairs: tuple[int, int]) -> pa.Table:
    rows = [{"low": low.to_bytes(16, "big"), "high": high.to_bytes(16, "big")} for low, high in pairs]
    return pa.Table.from_pylist(rows, EDGES)


def components_of(*pairs: tuple[int, int], at_a_time: int | None = None) -> dict[int, int]:
    """The component of each node, of pairs that are given all at once or so many at a time."""
    if at_a_time is None:
        table = components(edges(*pairs))
    else:
        joined = Joined()
        for start in range(0, len(pairs), at_a_time):
            joined.add(edges(*pairs[start : start + at_a_time]))
        table = joined.components()
    assert table.schema == COMPONENTS
    numbers = [[int.from_bytes(value, "big") for value in table[name].to_pylist()] for name in COMPONENTS.names]
    assert numbers[0] == sorted(numbers[0])
    return dict(zip(*numbers, strict=True))


def test_a_chain_is_one_component_named_by_its_smallest():
    assert components_of((3, 4), (2, 3), (5, 6), (1, 2)) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 5, 6: 5}


def test_a_long_chain_given_backwards():
    length = 10_000
    found = components_of(*[(i, i + 1) for i in reversed(range(1, length))])
    assert set(found.values()) == {1}
    assert len(found) == length


def test_no_edges_no_components():
    assert components_of() == {}


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)).filter(lambda pair: pair[0] < pair[1])), st.randoms())
def test_order_and_repeats_of_edges_do_not_matter(pairs, random):
    expected = {node: node for pair in pairs for node in pair}
    for _ in expected:  # the smallest name travels one edge a round
        for low, high in pairs:
            expected[low] = expected[high] = min(expected[low], expected[high])
    assert components_of(*pairs) == expected
    shuffled = pairs + random.choices(pairs, k=3) if pairs else []
    random.shuffle(shuffled)
    assert components_of(*shuffled) == expected
    assert components_of(*shuffled, at_a_time=random.randint(1, 5)) == expected


def test_ids_that_differ_in_a_few_bits_and_outgrow_the_table_many_times():
    """Those of one file count up; another's differ in their first bits."""
    count, other = 20_000, 1 << 100
    pairs = [(n, n + 1) for n in range(0, count, 2)] + [(n + other, n + other + 1) for n in range(0, count, 2)]
    found = components_of(*pairs, (0, other), at_a_time=999)
    assert found == {n: n & ~1 for n in range(count)} | {n + other: (n & ~1) + other for n in range(2, count)} | {
        other: 0,
        other + 1: 0,
    }
