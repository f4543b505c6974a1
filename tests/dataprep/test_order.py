from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.order import SampleOrder

SIZES = st.integers(1, 700)
SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 9))  # block size, blocks of a window


@settings(deadline=None)
@given(num_samples=SIZES, shape=SHAPES, seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 5))
def test_each_epoch_takes_every_sample_once(num_samples, shape, seed, epoch):
    order = SampleOrder(num_samples, seed, *shape)
    taken = order.indices(epoch * num_samples, num_samples)
    assert np.array_equal(np.sort(taken), np.arange(num_samples))


@settings(deadline=None, max_examples=40)
@given(num_samples=st.integers(20, 700), shape=SHAPES, cuts=st.lists(st.integers(0, 900), max_size=4))
def test_the_order_does_not_depend_on_how_it_is_asked_for(num_samples, shape, cuts):
    """So neither the number of ranks nor a restart in the middle changes it."""
    order = SampleOrder(num_samples, 3, *shape)
    edges = sorted([0, 900, *cuts])
    parts = [order.indices(start, end - start) for start, end in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), order.indices(0, 900))


def test_seeds_and_epochs_have_orders_of_their_own():
    first = SampleOrder(1000, seed=1).indices(0, 2000)
    other = SampleOrder(1000, seed=2).indices(0, 1000)
    assert (first[:1000] != other).mean() > 0.9
    assert (first[:1000] != first[1000:]).mean() > 0.9


@settings(deadline=None, max_examples=40)
@given(num_samples=st.integers(100, 3000), seed=st.integers(0, 50))
def test_a_window_of_the_run_reads_from_few_blocks(num_samples, seed):
    order = SampleOrder(num_samples, seed, block_size=10, window_blocks=4)
    blocks = order.indices(0, num_samples) // 10
    for start in range(0, num_samples - 39, 40):
        # A stretch of a window's length touches two windows at most (one of them may hold the short block): 8 blocks.
        assert len(np.unique(blocks[start : start + 40])) <= 8


def test_samples_are_mixed_within_a_window():
    first_window = SampleOrder(10_000, 0, block_size=10, window_blocks=100).indices(0, 1000)
    # Of neighbours in a thorough shuffle of 1,000, one in some hundred comes from the same block of 10.
    assert (np.diff(first_window // 10) == 0).mean() < 0.05


def test_every_place_is_equally_likely_for_a_sample():
    places = np.concatenate([np.argsort(SampleOrder(8, seed, 2, 2).indices(0, 8)) for seed in range(1000)])
    counts = np.histogram2d(np.tile(np.arange(8), 1000), places, bins=8)[0]
    # 1,000 draws over 8 places: 125 expected, standard deviation sqrt(1000 x 1/8 x 7/8) = 10.5; five of them are 52.
    assert np.abs(counts - 125).max() < 52


def test_the_order_of_a_release_stays_as_it_is():
    """A checkpoint names samples by their place in the order; another order would repeat some and skip others."""
    assert SampleOrder(10, seed=1, block_size=2, window_blocks=2).indices(0, 12).tolist() == GOLDEN


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SampleOrder(0, seed=0)


GOLDEN = [1, 3, 0, 2, 8, 6, 7, 9, 4, 5, 5, 3]
