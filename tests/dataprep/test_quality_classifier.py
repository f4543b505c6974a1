from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from dataprep.errors import CorruptDataError, DataError
from dataprep.kernels.words import find_words
from dataprep.quality_classifier import (
    ClassifierConfig,
    _passage_lengths,
    area_under_curve,
    metadata_of,
    read_classifier,
    train,
)

GOOD = "the history of the town begins with a bridge that was built over the river"
OTHER = "click here to buy cheap shoes online now free shipping click subscribe"
SMALL = ClassifierConfig(bucket_bits=12, held_out_every=4)


def texts(sentence: str, number: int, seed: int) -> pa.Array:
    """Documents of the words of a sentence in another order each, among words that both sides have."""
    draw = np.random.default_rng(seed)
    words = [*sentence.split(), "one", "two", "three", "four", "five", "six"]
    return pa.array([" ".join(draw.choice(words, 30)) for _ in range(number)], pa.large_string())


@pytest.fixture(scope="module")
def trained() -> bytes:
    return train([texts(GOOD, 200, 0)], [texts(OTHER, 100, 1), texts(OTHER, 200, 2)], SMALL)


def test_what_it_has_not_seen_is_told_apart(trained):
    classifier = read_classifier(trained, "model")
    good, other = (classifier.score_e4(find_words(texts(words, 50, 3))) for words in (GOOD, OTHER))
    assert good.dtype == np.int16
    assert (good.min() > 5000, other.max() < 5000) == (True, True)
    facts = classifier.metadata
    assert facts["num_documents"] == [200, 300]
    assert sum(facts["num_held_out"]) + sum(facts["num_passages"]) == 500  # 30 words are one passage
    assert facts["held_out_auc"] > 0.999


def test_the_same_documents_give_the_same_bytes(trained):
    again = train([texts(GOOD, 200, 0)], [texts(OTHER, 100, 1), texts(OTHER, 200, 2)], SMALL)
    assert again == trained
    other_seed = train(
        [texts(GOOD, 200, 0)], [texts(OTHER, 300, 1)], SMALL.model_copy(update={"seed": 1, "bucket_bits": 12})
    )
    assert other_seed != trained


def test_a_document_without_words_scores_nothing_and_its_length_does_not_count(trained):
    classifier = read_classifier(trained, "model")
    once, twice, nothing = classifier.score_e4(
        find_words(pa.array(["bridge", "bridge, bridge, bridge: bridge", "..."], pa.large_string()))
    )
    assert nothing == 0
    assert once > 5000
    assert twice > 5000


def test_scores_are_the_sigmoid_of_the_mean_weight(trained):
    """Four words have four weights and three of pairs: read one by one from the file, as the formula has it."""
    classifier = read_classifier(trained, "model")
    words = find_words(pa.array(["history of the town"], pa.large_string()))
    mask, total = len(classifier.weights) - 1, 0
    hashes = [int(word) for word in words.hashes]
    for word in hashes:
        total += int(classifier.weights[word & mask])
    for before, word in pairwise(hashes):
        state = (before * 0x9E3779B185EBCA87 + word) % 2**64  # XXH64's PRIME64_1, then its avalanche
        state = (state ^ state >> 33) * 0xC2B2AE3D27D4EB4F % 2**64
        state = (state ^ state >> 29) * 0x165667B19E3779F9 % 2**64
        total += int(classifier.weights[(state ^ state >> 32) & mask])
    logit = total * classifier.scale / 7 + classifier.bias
    assert classifier.score_e4(words).tolist() == [round(1e4 / (1 + np.exp(-logit)))]


def test_documents_are_cut_into_passages():
    lengths = _passage_lengths(np.array([0, 3, 4, 5, 9]), 4)
    assert lengths.tolist() == [3, 4, 4, 1, 4, 4, 1]


def test_area_under_curve_counts_pairs_and_half_of_ties():
    # 3 > 1, 3 > 2, 2 > 1, and 2 = 2: 3.5 of 4 pairs.
    assert area_under_curve(np.array([3, 2]), np.array([2, 1])) == 0.875


def test_a_side_without_words_is_refused():
    with pytest.raises(DataError, match="the other documents hold no words to learn from: give more of them"):
        train([texts(GOOD, 9, 0)], [pa.array(["...", ""], pa.large_string())], SMALL)


def test_what_is_no_classifier_is_refused(trained):
    with pytest.raises(CorruptDataError, match="model is no quality classifier: train one with `seedbed train-class"):
        metadata_of(b"\\data\\\nngram 1=3\n", "model")
    with pytest.raises(CorruptDataError, match="model is damaged"):
        read_classifier(trained[:-10], "model")
