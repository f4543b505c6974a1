import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.mixture import MixedOrder, MixtureConfig, Remark, most_samples, quotas

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
    assert mixture.remarks == (
        Remark(
            "max_epochs",
            500.0,
            200.0,
            "a at 0.500 would be 500 tokens = 5.00 epochs of its 100, but max_epochs 2 allows 200: the rest is given "
            "to the other sources",
        ),
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
    assert mixture.missing == 4


def test_weights_that_do_not_add_up_and_sources_left_out_are_said():
    mixture = quotas({"a": 50, "b": 50, "c": 50}, MixtureConfig(weights={"a": 0.5, "b": 0.25}), 30, 10)
    assert mixture.remarks == (
        Remark("weights", 0.75, 1.0, "a 0.5 + b 0.25 = 0.75, not 1; each is divided by that"),
        Remark("weights", 1.0, 0.0, "not named in the weights, and so not trained on: c"),
    )
    assert {name: share.taken for name, share in mixture.shares.items()} == {"a": 20, "b": 10, "c": 0}


def test_gpt_3s_weights_add_up_to_1_01_and_its_epochs_follow_from_what_is_left():
    # Brown et al. 2020, table 2.2, in units of 10^6 tokens: 300 B tokens of 410, 19, 12, 55 and 3 B.
    available = {"books1": 12_000, "books2": 55_000, "crawl": 410_000, "webtext": 19_000, "wikipedia": 3_000}
    weights = {"books1": 0.08, "books2": 0.08, "crawl": 0.6, "webtext": 0.22, "wikipedia": 0.03}
    mixture = quotas(available, MixtureConfig(weights=weights, max_epochs=3.0), 300_000, 1)
    # webtext: 0.22 / 1.01 x 300 B = 65.3 B = 3.44 epochs, held to 57 B. Of the other 243 B wikipedia would have
    # 3 / 79 = 9.2 B and is held to 9 B. The other 234 B go as 60 : 8 : 8 of 76: 184,736.8 and twice 24,631.6.
    assert mixture.remarks[0].message.endswith("= 1.01, not 1; each is divided by that")
    assert [remark.key for remark in mixture.remarks] == ["weights", "max_epochs"]
    taken = {name: share.taken for name, share in mixture.shares.items()}
    assert taken == {"books1": 24_632, "books2": 24_631, "crawl": 184_737, "webtext": 57_000, "wikipedia": 9_000}


def test_a_source_without_weight_gives_nothing_and_a_quota_holds_in_whole_samples():
    config = MixtureConfig(weights={"a": 1.0, "b": 0.0}, max_epochs=1.5, tokens={"a": 47})
    assert most_samples({"a": 5, "b": 5, "c": 5}, config, 10) == {"a": 4, "b": 0, "c": 0}


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
