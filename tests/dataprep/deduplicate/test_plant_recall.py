"""What is found of plants, counted by hand."""

import pyarrow as pa
import pytest

from dataprep.deduplicate.plant_recall import (
    MAX_CHECKED,
    PLANT_RESULTS,
    counted_similarity,
    measured,
    ngrams,
    plant_results,
    too_few_found,
    verified_meetings,
)
from dataprep.deduplicate.plants import MEETINGS, PLANTS
from dataprep.schemas import ID

ORIGINAL, OTHER, PLANT = bytes(16), bytes(15) + b"\1", bytes(15) + b"\2"


def plants(text: str) -> pa.Table:
    return pa.Table.from_pylist([{"id": PLANT, "original": ORIGINAL, "text": text, "content_hash": PLANT}], PLANTS)


def documents(**texts: str) -> pa.Table:
    ids = {"original": ORIGINAL, "other": OTHER}
    found = [ids[name] for name in texts]
    columns = {"id": pa.array(found, ID), "content_hash": pa.array(found, ID)}
    return pa.table(columns | {"text": pa.array(texts.values(), pa.large_string())})


def result(similarity: float, is_compared: bool, is_found: bool, verified: int = 1, right: int = 1) -> dict:
    counts = {"num_verified": verified, "num_checked": verified, "num_right": right}
    flags = {"is_compared": is_compared, "is_found": is_found}
    return {"original": ORIGINAL, "similarity": similarity, **flags, **counts}


def test_ngrams_are_of_words_in_lower_case_and_of_a_short_text_all_of_it():
    assert ngrams("One, TWO three", 2) == {("one", "two"), ("two", "three")}
    assert ngrams("東京 2020", 5) == {("東", "京", "2020")}
    assert ngrams("...", 5) == set()
    assert counted_similarity(ngrams("a b c", 1), ngrams("b c d", 1)) == 0.5
    assert counted_similarity(set(), set()) == 0.0


def test_what_is_verified_is_counted_again():
    told = plants("a b c d e x\n")
    texts = documents(original="a b c d e f", other="u v w x y z")
    pairs = pa.table({"id": [PLANT] * 2, "document": [ORIGINAL, OTHER]}, MEETINGS)
    verified = verified_meetings(pairs, told, texts, texts, ngram_words=1, min_jaccard=0.7)
    assert verified.to_pylist() == [{"id": PLANT, "document": ORIGINAL, "counted_similarity": 5 / 7}]
    [row] = plant_results(told, texts, pairs, verified, 1, 0.7).to_pylist()
    assert row == result(5 / 7, True, True)
    [row] = plant_results(told, texts, pairs.slice(1), verified.slice(1), 1, 0.7).to_pylist()
    assert row == result(5 / 7, False, False, 0, 0)


def test_a_pair_that_was_verified_and_is_not_alike_is_wrong():
    told, texts = plants("a b c d e x\n"), documents(original="a b c d e f", other="u v w x y z")
    pairs = pa.table({"id": [PLANT], "document": [OTHER]}, MEETINGS)
    # As if all were alike: 1 of 11 words.
    verified = verified_meetings(pairs, told, texts, texts, ngram_words=1, min_jaccard=0.05)
    [row] = plant_results(told, texts, pairs, verified, 1, 0.8).to_pylist()
    assert (row["num_verified"], row["num_checked"], row["num_right"]) == (1, 1, 0)
    assert measured(pa.Table.from_pylist([row], PLANT_RESULTS), 0.8, 18, 6)["precision"] == 0.0


def test_of_many_pairs_of_a_plant_some_are_counted():
    number = MAX_CHECKED + 3
    ids = [bytes(14) + bytes([1, n]) for n in range(number)]
    texts = pa.table({"id": pa.array(ids, ID), "content_hash": pa.array(ids, ID)}).append_column(
        "text", pa.array(["a b c d e"] * number, pa.large_string())
    )
    pairs = pa.table({"id": [PLANT] * number, "document": ids}, MEETINGS)
    verified = verified_meetings(pairs, plants("a b c d e\n"), texts, texts, 1, 0.8)
    assert verified["counted_similarity"].to_pylist() == [1.0] * MAX_CHECKED + [None] * 3


def test_recall_is_told_beside_what_the_bands_should_find():
    found = [result(0.9, True, True), result(0.8, True, True), result(0.8, False, False, 0, 0)]
    below = [result(0.5, False, False, 0, 0), result(0.5, True, False, 0, 0)]
    told = measured(pa.Table.from_pylist(found + below, PLANT_RESULTS), 0.8, num_bands=2, rows_per_band=1)
    assert (told["planted"], told["at_or_above"], told["found"], told["recall"]) == (5, 3, 2, 2 / 3)
    # 1 - (1 - s)^2: 0.99 at 0.9, 0.96 at 0.8, 0.75 at 0.5.
    assert told["expected_recall"] == pytest.approx((0.99 + 2 * 0.96) / 3)
    assert told["spread"] == pytest.approx((0.99 * 0.01 + 2 * 0.96 * 0.04) ** 0.5 / 3)
    assert (told["verified_pairs"], told["right_pairs"], told["precision"]) == (2, 2, 1.0)
    assert [(one["least"], one["most"], one["plants"], one["compared"]) for one in told["bins"]] == [
        (0.5, 0.55, 2, 1),
        (0.8, 0.85, 2, 1),
        (0.9, 0.95, 1, 1),
    ]
    assert told["bins"][0]["expected"] == pytest.approx(1.5)
    assert told["missed"] == [{"original": ORIGINAL.hex(), "similarity": 0.8, "is_compared": False}]


def test_where_nothing_is_at_the_threshold_there_is_no_recall():
    told = measured(pa.Table.from_pylist([result(0.5, False, False, 0, 0)], PLANT_RESULTS), 0.8, 18, 6)
    assert (told["recall"], told["expected_recall"], told["precision"]) == (None, None, None)
    assert too_few_found(told, 0.9) is None


@pytest.mark.parametrize(("found", "is_enough"), [(100, True), (84, True), (83, False), (0, False)])
def test_too_few_are_fewer_than_chance_explains(found, is_enough):
    # Of 100 at 0.9: 90, less twice sqrt(100 x 0.9 x 0.1) = 3.
    told = {"at_or_above": 100, "found": found, "min_jaccard": 0.8, "expected_recall": 0.996}
    wrong = too_few_found(told, 0.9)
    assert (wrong is None) == is_enough
    if found == 83:
        assert wrong == (
            "deduplicate: of 100 planted copies at 0.8 and above, 83 were found, 83.0%; "
            "data.deduplicate.plants.min_recall asks for 90.0%, and the bands of data.annotate.minhash "
            "should find 99.6%: more bands of fewer rows find more; with "
            "min_recall 0 the run goes on, and its manifest shows some that were missed"
        )
