import numpy as np

from dataprep.kernels.duplicates import clear, count_repeats, first_equal, table_bits


def test_a_table_is_at_most_half_full():
    assert [table_bits(n) for n in (0, 4, 5, 8, 9, 1000)] == [3, 3, 4, 4, 5, 11]


def test_the_first_place_of_a_key_is_found():
    keys = np.array([5, 7, 5, 1 << 60, 7, 0, 0, 1 << 60, 5], np.uint64)
    bits = table_bits(len(keys))
    table = np.full(1 << bits, 99, np.int32)  # what another document left
    clear(table, bits)
    assert [first_equal(table, bits, keys, i) for i in range(len(keys))] == [0, 1, 0, 3, 1, 5, 5, 3, 0]


def test_so_it_is_where_many_keys_want_one_slot():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 4, 1000).astype(np.uint64) | (rng.integers(0, 300, 1000).astype(np.uint64) << np.uint64(40))
    bits = table_bits(len(keys))
    table = np.empty(1 << bits, np.int32)
    clear(table, bits)
    seen: dict[int, int] = {}
    expected = [seen.setdefault(int(key), i) for i, key in enumerate(keys)]
    assert [first_equal(table, bits, keys, i) for i in range(len(keys))] == expected


def test_repeats_are_counted_with_their_sizes():
    keys = np.array([3, 4, 3, 3, 4, 9], np.uint64)
    sizes = np.array([10, 1, 10, 10, 1, 7], np.int64)
    table = np.empty(1 << table_bits(len(keys)), np.int32)
    assert count_repeats(table, keys, sizes, 6) == (3, 21)
    assert count_repeats(table, keys, sizes, 2) == (0, 0)
    assert count_repeats(table, keys, sizes, 1) == (0, 0)
    assert count_repeats(table, keys, sizes, 0) == (0, 0)
