"""Which documents are copied, how alike a copy is, and whom it meets."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import document_id
from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.candidates import NEIGHBOURS, candidates
from dataprep.deduplicate.plant_recall import counted_similarity, ngrams
from dataprep.deduplicate.plants import (
    _PLANT_BIT,
    MAX_ORIGINAL_BYTES,
    MEETINGS,
    PLANTS,
    PlantsConfig,
    edited,
    is_original,
    meetings,
    merge_meetings,
    plant_rows,
    planted,
)
from dataprep.kernels.minhash import MinHashConfig
from dataprep.schemas import ID

PREFIX = document_id.file_prefix("docs", "a.jsonl")
TEXT = " ".join(f"word{number}" for number in range(204))  # 200 different 5-grams
PLANT = int(_PLANT_BIT)


def ids(*records: int) -> pa.Array:
    return pa.array([document_id.pack(PREFIX, record) for record in records], ID)


def survivors(number: int, num_bytes: int = 100) -> pa.Table:
    return pa.table({"id": ids(*range(number)), "num_bytes": pa.array([num_bytes] * number, pa.int64())})


def rows(*pairs: tuple[int, int]) -> pa.Table:
    """`BAND_ROWS` of pairs of a key and a record."""
    columns = [[0] * len(pairs), [key for key, _ in pairs], ids(*(record for _, record in pairs))]
    return pa.table(dict(zip(BAND_ROWS.names, columns, strict=True)), BAND_ROWS)


def met(documents: pa.Table, plants: pa.Table) -> list[tuple[int, int]]:
    """Records of the originals and of whom their plants meet."""
    table = meetings([documents], plants, max_bucket=1000)
    assert table.schema == MEETINGS
    number = document_id.record_number
    return [(number(row["id"]) - PLANT, number(row["document"])) for row in table.to_pylist()]


def test_about_as_many_are_copied_as_is_asked_for_whatever_shards_they_are_in():
    config = PlantsConfig(number=300)
    whole = is_original(survivors(10_000), config, 10_000)
    assert 250 < whole.sum() < 350  # 300, and a deviation of 17
    parts = [is_original(survivors(10_000).slice(start, 1000), config, 10_000) for start in range(0, 10_000, 1000)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(is_original(survivors(10_000), PlantsConfig(number=300, seed=1), 10_000), whole)


def test_of_few_documents_all_are_copied_and_of_none_is_where_none_is_asked_for():
    assert is_original(survivors(5), PlantsConfig(number=300), 5).all()
    assert not is_original(survivors(5), PlantsConfig(number=0), 5).any()


def test_what_is_too_long_is_not_copied():
    assert is_original(survivors(5, MAX_ORIGINAL_BYTES), PlantsConfig(), 5).all()
    assert not is_original(survivors(5, MAX_ORIGINAL_BYTES + 1), PlantsConfig(), 5).any()


@pytest.mark.parametrize("similarity", [1.0, 0.95, 0.9, 0.8, 0.65, 0.5])
def test_a_copy_is_as_alike_as_it_was_meant_to_be(similarity):
    copy = edited(TEXT, similarity, 5, np.random.RandomState(3))
    assert copy != TEXT
    # A word is in five n-grams of 200: (200 - 5) / (200 + 5) is 0.95, and half such a step is what may be missing.
    assert abs(counted_similarity(ngrams(TEXT, 5), ngrams(copy, 5)) - similarity) < 0.026


def test_a_copy_keeps_what_stands_between_its_words_and_other_scripts():
    text = "Über «alles», 東京2020 — naïve:\n\tend."
    assert edited(text, 1.0, 5, np.random.RandomState(0)) == text + "\n"
    copy = edited(text, 0.0, 1, np.random.RandomState(0))  # of 7 words each is another one
    assert len(ngrams(copy, 1)) == 7
    assert not ngrams(copy, 1) & ngrams(text, 1)
    assert copy.endswith(" .\n")


def test_plants_have_ids_of_their_own_beside_their_originals_and_the_bands_of_their_texts():
    originals = pa.table({"id": ids(3, 8), "text": pa.array([TEXT, TEXT], pa.large_string())})
    plants = planted(originals, ngram_words=5, min_jaccard=0.8, seed=0)
    assert plants.schema == PLANTS
    assert plants["original"].to_pylist() == ids(3, 8).to_pylist()
    assert plants["id"].to_pylist() == ids(PLANT + 3, PLANT + 8).to_pylist()
    assert plants["text"][0] != plants["text"][1]  # each is drawn by its own id
    bands, sizes = plant_rows(plants, MinHashConfig(num_bands=4), num_partitions=3)
    assert bands.num_rows == sum(sizes) == 2 * (4 + 1)
    assert planted(originals.slice(1), 5, 0.8, 0).equals(plants.slice(1))


def test_a_plant_meets_all_of_a_small_bucket_and_nobody_of_another():
    assert met(rows((7, 1), (7, 5), (9, 2)), rows((7, PLANT + 5))) == [(5, 1), (5, 5)]
    assert met(rows((9, 2)), rows((7, PLANT + 5))) == []


def test_plants_do_not_meet_each_other():
    assert met(rows((7, 1)), rows((7, PLANT + 1), (7, PLANT + 2))) == [(1, 1), (2, 1)]


def test_in_a_large_bucket_a_plant_meets_the_smallest_and_its_neighbours():
    found = [record for _, record in met(rows(*((7, n) for n in range(500))), rows((7, PLANT + 400)))]
    first, *near = found
    assert first == 0
    assert len(near) <= 2 * NEIGHBOURS
    assert near == list(range(near[0], near[0] + len(near)))  # they lie side by side, and are not round the original


@settings(deadline=None)  # the first call loads kernels
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=120), st.integers(0, 60))
def test_a_plant_meets_whom_a_document_at_its_place_would_be_paired_with(pairs, original):
    """Except as the first of its bucket, where it meets fewer: it is asked of its original, whom it must meet."""
    for key in {key for key, _ in pairs}:
        members = sorted({record for found, record in pairs if found == key})
        found = {
            record for _, record in met(rows(*((key, record) for record in members)), rows((key, PLANT + original)))
        }
        options = []
        for place in range(len(members) + 1):
            # As a document with an id of its own, between those of two others.
            spread = [2 * record + 1 for record in members]
            own = spread[place] - 1 if place < len(members) else 2 * 61 + 2
            bucket = rows(*((key, record) for record in spread), (key, own))
            edges = candidates([bucket], 1000).edges.to_pylist()
            numbers = [tuple(document_id.record_number(edge[end]) for end in ("low", "high")) for edge in edges]
            paired = {(low + high - own) // 2 for low, high in numbers if own in (low, high)}
            if place == 0:
                paired = {m for m in paired if members.index(m) < NEIGHBOURS or m == original}
            options.append(paired)
        assert found in options


def test_meetings_of_several_partitions_count_once():
    one = meetings([rows((7, 1), (7, 2))], rows((7, PLANT + 1)), 1000)
    other = meetings([rows((9, 1))], rows((9, PLANT + 1)), 1000)
    assert merge_meetings([other, one]).equals(one)
    assert merge_meetings([]).equals(MEETINGS.empty_table())
