import pytest
from datasketch.lsh import _optimal_param

from dataprep.kernels.bands import optimal_bands


@pytest.mark.parametrize("num_permutations", [1, 16, 61])
@pytest.mark.parametrize("threshold", [0.3, 0.72, 0.9])
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
def test_bands_are_those_of_datasketch(threshold, num_permutations, weight):
    expected = _optimal_param(threshold, num_permutations, 1 - weight, weight)
    assert optimal_bands(threshold, num_permutations, weight) == expected


def test_the_dearer_a_missed_pair_the_more_bands():
    # As datasketch chooses for 112 permutations.
    assert [optimal_bands(0.8, 112, weight) for weight in (0.1, 0.5, 0.9)] == [(5, 21), (9, 12), (12, 9)]


def test_one_permutation_is_one_band():
    assert optimal_bands(0.5, 1, 0.5) == (1, 1)
