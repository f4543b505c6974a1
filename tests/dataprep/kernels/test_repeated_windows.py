import random

import numpy as np
import pyarrow as pa

from dataprep.kernels.repeated_windows import range_keys, window_runs
from dataprep.kernels.words import find_words


def words_of(*texts):
    return find_words(pa.array(texts, pa.large_string()))


def said(words, texts):
    """The words themselves, as the batch numbers them."""
    every = [word for text in texts for word in text.split()]
    assert len(every) == len(words.hashes)
    return every


def minimisers(texts, window, ngram):
    """(text, first word of the window, what its minimiser says) by the definition, with the hashes that the kernel
    gives to n-grams: those of windows that are one n-gram long."""
    words = words_of(*texts)
    single = window_runs(words, ngram, ngram)
    every = said(words, texts)
    hash_of = {}
    for first, end, value in zip(single.firsts, single.ends, single.minima, strict=True):
        for at in range(first, end):
            hash_of[tuple(every[at : at + ngram])] = value
    found = []
    for number, (start, stop) in enumerate(zip(words.offsets[:-1], words.offsets[1:], strict=True)):
        for first in range(start, stop - window + 1):
            places = range(first, first + window - ngram + 1)
            best = min(places, key=lambda at: (hash_of[tuple(every[at : at + ngram])], -at))
            found.append((number, first, best, hash_of[tuple(every[best : best + ngram])]))
    return found


def test_the_minimiser_of_each_window_is_the_last_of_its_least_ngrams():
    rng = random.Random(1)
    for vocabulary in ("ab", "abcdef", "abcdefghijklmnopqrstuvwxyz"):
        for window, ngram in ((2, 1), (5, 3), (6, 6), (9, 2)):
            texts = [" ".join(rng.choices(vocabulary, k=rng.randint(0, 50))) for _ in range(6)]
            runs = window_runs(words_of(*texts), window, ngram)
            told = [
                (document, window_first, minimum)
                for first, end, document, minimum in zip(*runs, strict=True)
                for window_first in range(first, end)
            ]
            naive = minimisers(texts, window, ngram)
            assert told == [(number, first, value) for number, first, _, value in naive]
            # A run is a stretch of windows with one minimiser at one place.
            places = [(number, best) for number, _, best, _ in naive]
            assert len(runs.firsts) == len(set(places))


def test_equal_windows_have_one_minimum_wherever_they_stand():
    rng = random.Random(2)
    passage = " ".join(rng.choices("abcdefghijkl", k=20))
    runs = window_runs(words_of(f"x y z {passage} q", f"{passage}", f"r {passage} s {passage}"), 20, 10)
    words = words_of(f"x y z {passage} q", f"{passage}", f"r {passage} s {passage}")
    at = {3, int(words.offsets[1]), int(words.offsets[2]) + 1, int(words.offsets[2]) + 22}
    minima = {minimum for first, end, _, minimum in zip(*runs, strict=True) if not at.isdisjoint(range(first, end))}
    assert len(minima) == 1


def test_a_text_with_fewer_words_than_a_window_has_none():
    runs = window_runs(words_of("one two three", "", "one two three four"), 4, 2)
    assert (runs.firsts.tolist(), runs.ends.tolist(), runs.documents.tolist()) == ([3], [4], [2])


def test_keys_are_equal_for_equal_words_case_apart_and_for_no_others():
    words = words_of("One two three one TWO", "two one")
    firsts, ends = np.array([0, 3, 3, 5, 0, 0]), np.array([2, 5, 4, 7, 3, 0])
    # one two | one TWO | one | two one | one two three | no word
    high, low = range_keys(words, firsts, ends, 0)
    assert high[0] == high[1] and low[0] == low[1]
    assert len(set(high.tolist())) == len(set(low.tolist())) == 5
    assert not set(high.tolist()) & set(low.tolist())
    other_high, other_low = range_keys(words, firsts, ends, 1)
    assert not set(high.tolist()) & set(other_high.tolist()) and not set(low.tolist()) & set(other_low.tolist())
