import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.mixture import MixedOrder, MixtureConfig, quotas

STREAMS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 150)), min_size=1, max_size=5)  # samples, quota


def taken(available: dict[str, int], num_samples: int, **config) -> dict[str, int]:
    mixture = quotas(available, MixtureConfig(**config), num_samples, 10)
    return {name: share.taken for name, share in mixture.shares.items()}


def test_weights_are_shares_of_the_samples():
    assert taken({"a": 50, "b": 100}, 80, weights={"a": 0.25, "b": 0.75}) == {"a": 20, "b": 60}


def test_whole_samples_go_to_the_largest_remainder():
    # 3.5, 3.5 and 3 of 10: of two equal remainders the earlier name's is served.
    available = {"a": 9, "b": 9, "c": 9}
    assert taken(available, 10, weights={"a": 0.35, "b": 0.35, "c": 0.3}) == {"a": 4, "b": 3, "c": 3}


def test_a_temperature_flattens_what_sizes_say():
    # 900^(1/2) : 100^(1/2) = 30 : 10
    assert taken({"large": 900, "small": 100}, 400, temperature=2.0) == {"large": 300, "small": 100}
    assert taken({"large": 900, "small": 100}, 400, temperature=1.0) == {"large": 360, "small": 40}


def test_what_would_repeat_beyond_the_cap_is_given_to_the_others_in_proportion():
    mixture = quotas(
        {"a": 10, "b": 100, "c": 100}, MixtureConfig(weights={"a": 0.5, "b": 0.3, "c": 0.2}, max_epochs=2.0), 100, 10
    )
    # a: 2 x 10 of 50; the other 80 as 3 : 2.
    assert {name: share.taken for name, share in mixture.shares.items()} == {"a": 20, "b": 48, "c": 32}
    assert mixture.shares["a"].epochs == 2.0
    assert mixture.warnings == (
        "mixture: a at 0.500 would give 50 samples, 5.00 epochs; max_epochs allows 20 of its 10: the rest is given to "
        "the other sources",
    )


def test_a_cap_that_fills_by_what_another_left_holds_too():
    # a is held to 4; b, at 3/4 of the other 16, would have 12 and is held to 8; c has 8.
    available = {"a": 2, "b": 4, "c": 100}
    assert taken(available, 20, weights={"a": 0.5, "b": 0.375, "c": 0.125}, max_epochs=2.0) == {"a": 4, "b": 8, "c": 8}


def test_a_quota_of_tokens_holds_in_whole_samples():
    assert taken({"a": 50, "b": 50}, 40, weights={"a": 0.5, "b": 0.5}, tokens={"a": 105}) == {"a": 10, "b": 30}


def test_what_all_sources_together_cannot_give_is_said():
    mixture = quotas({"a": 3, "b": 5}, MixtureConfig(temperature=1.0, max_epochs=2.0), 20, 10)
    assert {name: share.taken for name, share in mixture.shares.items()} == {"a": 6, "b": 10}
    assert mixture.warnings[-1] == (
        "mixture: 20 samples are asked for and 16 can be had: all sources are at their caps"
    )


def test_weights_that_do_not_add_up_and_sources_left_out_are_said():
    mixture = quotas({"a": 50, "b": 50, "c": 50}, MixtureConfig(weights={"a": 0.5, "b": 0.25}), 30, 10)
    assert mixture.warnings == (
        "mixture: the weights add up to 0.75, not to 1; each is divided by that",
        "mixture: not named in the weights and so not trained on: c",
    )
    assert {name: share.taken for name, share in mixture.shares.items()} == {"a": 20, "b": 10}


def test_a_source_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(ValueError, match=r"there are no sources \['wiki'\]; expected some of \['a', 'b'\]"):
        quotas({"a": 5, "b": 5}, MixtureConfig(weights={"wiki": 1.0}), 10, 10)


@pytest.mark.parametrize("config", [{}, {"weights": {"a": 1.0}, "temperature": 2.0}, {"weights": {"a": -0.5}}])
def test_weights_or_a_temperature_and_nothing_negative(config):
    with pytest.raises(ValueError, match="expected"):
        MixtureConfig(**config)


@settings(deadline=None, max_examples=60)
@given(streams=STREAMS, window=st.integers(1, 50), seed=st.integers(0, 9))
def test_each_stream_gives_its_quota_and_each_epoch_every_sample_once(streams, window, seed):
    sizes, wanted = zip(*streams, strict=True)
    order = MixedOrder(sizes, wanted, seed, window)
    stream, sample = order.indices(0, order.num_samples)
    assert np.bincount(stream, minlength=len(sizes)).tolist() == list(wanted)
    for place, (size, quota) in enumerate(streams):
        seen = np.bincount(sample[stream == place], minlength=size)
        assert len(seen) == size
        assert set(seen.tolist()) <= {quota // size, -(-quota // size)}


@settings(deadline=None, max_examples=60)
@given(streams=STREAMS, cut=st.floats(0, 1))
def test_a_run_that_goes_on_in_the_middle_has_the_same_order(streams, cut):
    sizes, wanted = zip(*streams, strict=True)
    order = MixedOrder(sizes, wanted, 1, window=16)
    middle = int(cut * order.num_samples)
    parts = order.indices(0, middle), order.indices(middle, order.num_samples - middle)
    for place, whole in enumerate(order.indices(0, order.num_samples)):
        assert np.array_equal(np.concatenate([part[place] for part in parts]), whole)


@settings(deadline=None, max_examples=60)
@given(streams=STREAMS)
def test_a_longer_run_takes_nothing_back(streams):
    sizes, wanted = zip(*streams, strict=True)
    order = MixedOrder(sizes, wanted, 1)
    counts = [order.counts(number) for number in range(order.num_samples + 1)]
    assert [sum(row) for row in counts] == list(range(order.num_samples + 1))
    assert (np.diff(counts, axis=0) >= 0).all()
    assert counts[-1] == list(wanted)


def test_every_window_holds_the_streams_in_proportion():
    order = MixedOrder((1000, 1000), (300, 100), 0, window=40)
    stream, _ = order.indices(0, 400)
    assert [int((stream[start : start + 40] == 1).sum()) for start in range(0, 400, 40)] == [10] * 10
    assert (np.diff(stream[:40]) < 0).any()  # not one stream after the other
