"""The truth that deduplication is measured against."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.deduplication.exact_pairs import Pairs, exact_pairs, sets_of
from benchmarks.deduplication.truth import labelled_f1, s_curve, scores
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.minhash import MinHashConfig

TEXTS = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=9)
WORDS = MinHashConfig(num_bands=20, rows_per_band=1, ngram_words=1)


def column(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def bigrams(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + 2]) for i in range(max(len(words) - 1, 1))}


@settings(deadline=None)
@given(TEXTS, st.sampled_from([0.1, 0.25, 0.5, 0.8, 1.0]))
def test_no_pair_is_missed_and_none_is_made_up(texts, at_least):
    expected = {}
    for low, high in combinations(range(len(texts)), 2):
        a, b = bigrams(texts[low]), bigrams(texts[high])
        if len(a & b) / len(a | b) >= at_least:
            expected[low, high] = len(a & b) / len(a | b)
    found = exact_pairs(sets_of(column(*texts), ngram_words=2), at_least)
    pairs = zip(found.low.tolist(), found.high.tolist(), strict=True)
    assert dict(zip(pairs, found.similarity.tolist(), strict=True)) == expected
    assert len(found.low) == len(expected)


def test_scores_count_a_pair_that_hangs_together_through_a_third_as_one_copy_but_not_as_precise():
    # {a..j} and {a..i, x} share 9 of 11 (0.82), the latter and {a..h, x, y} likewise; the first and the last 8 of 12.
    text = column("a b c d e f g h i j", "a b c d e f g h i x", "a b c d e f g h x y")
    truth = exact_pairs(sets_of(text, 1), 0.5)
    found = scores(text, truth, WORDS, DeduplicateConfig())
    assert (found.true_pairs, found.recall_compared, found.recall_one_copy) == (2, 1.0, 1.0)
    assert (found.dropped, found.precision) == (1, 1.0)  # the far end stays
    found = scores(text, truth, WORDS, DeduplicateConfig(chains="drop"))
    assert (found.dropped, found.precision) == (2, 0.5)


def test_the_s_curve_is_the_share_of_pairs_that_share_a_band():
    # 1 of 3 words shared: 1 - (1 - 1/3)^1 with one band of one row.
    text = column("a b", "b c")
    truth = Pairs(np.array([0]), np.array([1]), np.array([1 / 3]))
    config = MinHashConfig(num_bands=1, rows_per_band=1, ngram_words=1)
    (one,) = s_curve(text, truth, config, range(400))
    assert (one.least, one.pairs, one.expected) == (0.3, 1, pytest.approx(1 / 3))
    assert one.spread == pytest.approx((1 / 3 * 2 / 3) ** 0.5, rel=0.1)
    assert one.deviations < 3 / 400**0.5  # three standard errors of the average


def test_f1_tells_what_was_missed_and_what_has_no_label():
    names, text = ["p", "q", "r", "s"], column("a b c", "a b c", "x y z", "x y z")
    f1, missed, others = labelled_f1(names, text, {("p", "q"), ("p", "r")}, WORDS, 0.8)
    assert (f1, missed, others) == (0.5, [("p", "r")], [("r", "s")])
