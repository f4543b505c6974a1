import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels.jaccard import jaccard, shingle_sets
from dataprep.kernels.words import find_words

DOCUMENT = st.lists(st.sampled_from("abcd"), max_size=15)


def sets_of(*texts: str, n: int = 1):
    return shingle_sets(find_words(pa.array(texts, pa.large_string())), n)


def test_similarity_is_shared_over_all():
    sets = sets_of("a b c d", "c d e f", "a b c d", "", "x")
    # {a, b, c, d} and {c, d, e, f} share 2 of 6.
    assert jaccard(sets, [0, 0, 0, 3, 3], sets, [1, 2, 4, 3, 0]).tolist() == [2 / 6, 1.0, 0.0, 0.0, 0.0]


def test_sets_are_ascending_without_repeats():
    sets = sets_of("b a b a c", "a")
    assert sets.offsets.tolist() == [0, 3, 4]
    assert (np.diff(sets.hashes[:3].astype(object)) > 0).all()
    assert sets.hashes[3] in sets.hashes[:3]


def test_a_row_that_is_not_there_is_refused():
    sets = sets_of("a")
    with pytest.raises(IndexError, match="rows_b runs from 0 to 1, but there are 1 sets"):
        jaccard(sets, [0, 0], sets, [0, 1])
    with pytest.raises(ValueError, match="one length"):
        jaccard(sets, [0, 0], sets, [0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(DOCUMENT, DOCUMENT), min_size=1, max_size=5), st.integers(1, 4))
def test_similarity_is_that_of_python_sets(pairs, n):
    def ngrams(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + n]) for i in range(max(len(words) - n + 1, min(len(words), 1)))}

    expected = []
    for a, b in pairs:
        either = ngrams(a) | ngrams(b)
        expected.append(len(ngrams(a) & ngrams(b)) / len(either) if either else 0.0)
    rows = range(len(pairs))
    sets_a = sets_of(*(" ".join(a) for a, _ in pairs), n=n)
    sets_b = sets_of(*(" ".join(b) for _, b in pairs), n=n)
    assert jaccard(sets_a, list(rows), sets_b, list(rows)).tolist() == expected
