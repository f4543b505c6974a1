import pyarrow as pa

from dataprep.repeats.config import RecurringTextConfig, RepeatsConfig, SubstringsConfig
from dataprep.repeats.places import num_places_at_most
from dataprep.repeats.signs import SIGNS, by_partition, recurring, signs

WORDS_OF_FOUR = RepeatsConfig(substrings=SubstringsConfig(min_words=4), lines=RecurringTextConfig(max_documents=2))


def rows(*said):
    return pa.Table.from_pylist([dict(zip(SIGNS.names, row, strict=True)) for row in said], SIGNS)


def test_signs_are_added_up_over_shards_and_each_shard_gets_its_own_back():
    ours = rows((0, 7, 2), (0, 8, 1), (2, 7, 1), (2, 9, 1))
    theirs = rows((0, 7, 1), (0, 8, 1), (2, 9, 1), (2, 11, 2))
    # Lines go from 3 documents on, runs from 2 places; a sign of one kind is none of the other.
    assert [part.to_pylist() for part in recurring([ours, theirs], WORDS_OF_FOUR)] == [
        [{"kind": 0, "sign": 7, "number": 2}, {"kind": 2, "sign": 9, "number": 1}],
        [
            {"kind": 0, "sign": 7, "number": 1},
            {"kind": 2, "sign": 9, "number": 1},
            {"kind": 2, "sign": 11, "number": 2},
        ],
    ]
    assert [part.num_rows for part in recurring([SIGNS.empty_table()], WORDS_OF_FOUR)] == [0]


def test_a_line_counts_once_a_document_and_a_run_once_a_place():
    line = "one two three four five six seven eight"
    text = pa.array([f"{line}\n{line}", line.upper()], pa.large_string())
    found = signs(text, WORDS_OF_FOUR)
    assert [(row["kind"], row["number"]) for row in found.to_pylist() if row["kind"] == 0] == [(0, 2)]
    # Four words are three n-grams of two, whose least stands for a window: each has as many places as the line.
    line_only = signs(pa.array([line], pa.large_string()), WORDS_OF_FOUR)
    inside = {row["sign"] for row in line_only.to_pylist() if row["kind"] == 2}
    assert {row["number"] for row in found.to_pylist() if row["sign"] in inside} == {3}


def test_partitions_are_equal_ranges_of_the_sign():
    quarter = 1 << 62
    table = rows((0, 3 * quarter, 1), (0, 5, 1), (0, quarter, 1), (0, 2 * quarter - 1, 1), (0, 2**64 - 1, 1))
    parted, sizes = by_partition(table, "sign", 4)
    assert parted["sign"].to_pylist() == [5, quarter, 2 * quarter - 1, 3 * quarter, 2**64 - 1]
    assert sizes == [1, 2, 0, 2]


def test_an_ngram_stands_for_as_many_windows_as_have_it_in_them_and_a_line_for_itself():
    assert num_places_at_most(rows((0, 7, 2), (2, 9, 5)), WORDS_OF_FOUR) == 2 + 5 * 3
    assert num_places_at_most(SIGNS.empty_table(), WORDS_OF_FOUR) == 0
