import math

import pytest

from seedbed.scaling.laws import laws, optima, optimum, predict, worth_in_unique

CHINCHILLA_FLOPS = 5.76e23  # Hoffmann et al. 2022, table A3: Gopher's, which Chinchilla was trained with


def tokens_per_parameter(name, flops):
    parameters, tokens = optimum(name, flops)
    assert 6 * parameters * tokens == pytest.approx(flops)
    return tokens / parameters


def test_every_law_says_where_it_comes_from():
    assert all("arXiv" in law.source for law in laws().values())


@pytest.mark.parametrize(
    ("law", "flops", "ratio"),
    [
        ("besiroglu", 1e20, 22.9),
        ("besiroglu", CHINCHILLA_FLOPS, 18.4),  # the 20 of the paper's other two approaches
        ("hoffmann", 1e20, 40),  # rounded as printed
        ("hoffmann", CHINCHILLA_FLOPS, 93),
    ],
)
def test_the_optimum_has_so_many_tokens_a_parameter(law, flops, ratio):
    assert tokens_per_parameter(law, flops) == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize("law", ["besiroglu", "hoffmann", "muennighoff"])
def test_beside_the_optimum_the_loss_is_higher(law):
    parameters, tokens = optimum(law, 1e21)
    best = laws()[law].loss(parameters, tokens)
    assert best < laws()[law].loss(parameters * 1.1, tokens / 1.1)
    assert best < laws()[law].loss(parameters / 1.1, tokens * 1.1)


def test_hoffmanns_law_predicts_chinchilla():
    # 1.69 + 406.4 / (70e9)^.34 + 410.7 / (1.4e12)^.28 = 1.69 + .0834 + .1632
    assert laws()["hoffmann"].loss(70e9, 1.4e12) == pytest.approx(1.9366, abs=1e-4)


def test_besiroglus_law_by_hand():
    # 1e9 parameters, 1e10 tokens: 482.01 / 10^(9 x .3478) + 2085.43 / 10^(10 x .3658)
    expected = 1.8172 + 482.01 / 10**3.1302 + 2085.43 / 10**3.658
    assert predict("besiroglu", 10**9, 1, 10**10, None).value == pytest.approx(expected)
    assert expected == pytest.approx(2.63, abs=0.01)


@pytest.mark.parametrize(("epochs", "worth"), [(1, 1.0), (4, 3.73), (16, 10.6), (40, 15.2)])
def test_repeated_tokens_lose_their_worth(epochs, worth):
    # Muennighoff et al. 2023, equation 5
    decay = laws()["muennighoff"].constants["r_d"]
    assert worth_in_unique(1e9, epochs * 1e9, decay) / 1e9 == pytest.approx(worth, abs=0.05)


def test_muennighoffs_optimal_size_for_its_unique_tokens():
    # Their equation 17: U_N = 0.051 U, and the law is 521 / N^.353 + 1488 / D^.353 + 1.87
    parameters, tokens = optimum("muennighoff", 1e21)
    assert parameters / tokens == pytest.approx(0.051, abs=5e-4)
    once = laws()["muennighoff"].loss(0.05 * 1e9, 1e9)
    assert once == pytest.approx(521 / (0.05e9) ** 0.3526596 + 1488 / 1e9**0.3526596 + 1.87, rel=1e-3)


def test_four_epochs_cost_muennighoffs_largest_model_under_a_percent():
    # 8.7 B parameters, 178 B tokens, of them 44 B unique: section 6 measured 0.5 % more loss than without repeats.
    law = laws()["muennighoff"]
    repeated, once = law.loss(8.7e9, 178e9, 44e9), law.loss(8.7e9, 178e9)
    assert 1.004 < repeated / once < 1.01


def test_doubling_kaplans_parameters_takes_five_percent_off_the_loss():
    # Kaplan et al. 2020, 1.2: by 2^-0.076 = 0.95 where data does not limit
    law = laws()["kaplan"]
    assert law.loss(2e6, 1e18) / law.loss(1e6, 1e18) == pytest.approx(0.95, abs=0.002)


def test_kaplans_law_says_how_much_data_a_model_needs():
    # Kaplan et al. 2020, equation 4.4: with D = 5e3 N^0.74 the loss is within 2 % of what endless data would give
    law = laws()["kaplan"]
    for parameters in (1e6, 1e9):
        enough = 5e3 * parameters**0.74
        assert law.loss(parameters, enough) / law.loss(parameters, 1e30) == pytest.approx(1.02, abs=0.003)


def test_gpt3_and_chinchilla_lie_outside_of_what_the_default_law_was_fitted_on():
    # GPT-3: 175 B on 300 B tokens; Chinchilla: 70 B on 1.4 T
    for parameters, tokens in ((175 * 10**9, 300 * 10**9), (70 * 10**9, 1400 * 10**9)):
        predicted = predict("besiroglu", parameters, parameters, tokens, None)
        assert predicted.value is None
        assert "are outside of the 50,000,000 to 16,000,000,000 that besiroglu's law was fitted on" in predicted.reason


def test_a_model_too_small_gets_no_prediction():
    # The formula would say 15.4 nats, more than a uniform guess over any vocabulary: ln 50,257 = 10.8.
    assert laws()["besiroglu"].loss(1e6, 2.4e6) == pytest.approx(15.4, abs=0.1)
    predicted = predict("besiroglu", 10**6, 10**6, 2_400_000, None)
    assert (predicted.law, predicted.value) == ("besiroglu", None)
    assert predicted.reason.startswith("1,000,000 parameters are outside of")


def test_where_tokens_repeat_the_law_that_knows_repeats_stands_in():
    predicted = predict("besiroglu", 10**9, 1, 4 * 10**9, 10**9)
    assert predicted.law == "muennighoff"
    assert predicted.value == laws()["muennighoff"].loss(1e9, 4e9, 1e9)
    assert predict("besiroglu", 10**9, 1, 10**10, 10**10).law == "besiroglu"


def test_a_prediction_says_what_it_assumes():
    assert predict("besiroglu", 10**9, 1, 10**10, None).assumes.startswith("text and tokenizer like Hoffmann's")


def test_kaplans_parameters_leave_embeddings_out():
    predicted = predict("kaplan", 2 * 10**9, 10**9, 10**10, None)
    assert predicted.value == laws()["kaplan"].loss(1e9, 1e10)
    assert "parameters without embeddings" in predict("kaplan", 10**9, 2 * 10**9, 10**10, None).reason


def test_too_many_repeats_are_outside_too():
    assert "501 repeats are more than the 500" in predict("muennighoff", 10**9, 1, 501 * 10**6, 10**6).reason


def test_no_tokens_get_no_prediction():
    assert predict("besiroglu", 10**9, 1, 10**10, 0).reason == "there are no tokens to train on"


def test_kaplan_has_no_closed_optimum():
    with pytest.raises(ValueError, match="kaplan"):
        optimum("kaplan", 1e20)
    assert math.isfinite(laws()["kaplan"].loss(1e9, 1e10))


PF_DAY = 1e15 * 86_400


def test_kaplans_law_of_compute_gives_the_loss_at_its_own_end():
    # Kaplan et al. 2020, 6.3: the laws meet at some 1e4 PF-days and 1.7 nats per token
    parameters, tokens = 1e12, 1e4 * PF_DAY / 6 / 1e12
    assert laws()["kaplan_compute"].loss(parameters, tokens) == pytest.approx(1.7, abs=0.03)


@pytest.mark.parametrize(
    ("law", "parameters", "tokens", "factor"),
    # Kaplan et al. 2020, 1.2: each doubling takes 2^-alpha off, with alpha .076, .095, .050
    [
        ("kaplan_parameters", 2, 1, 0.9487),
        ("kaplan_tokens", 1, 2, 0.9363),
        ("kaplan_compute", 2, 1, 0.9659),
        ("kaplan_compute", 1, 2, 0.9659),
    ],
)
def test_kaplans_power_laws_fall_by_their_exponents(law, parameters, tokens, factor):
    loss = laws()[law].loss
    assert loss(parameters * 1e8, tokens * 1e9) / loss(1e8, 1e9) == pytest.approx(factor, abs=1e-4)


def test_kaplans_power_laws_by_hand():
    # (8.8e13 / 1.5e9)^.076 = e^(.076 x 10.9797); (5.4e13 / 23e9)^.095 = e^(.095 x 7.7612)
    assert laws()["kaplan_parameters"].loss(1.5e9, 1) == pytest.approx(math.exp(0.076 * 10.9797), rel=1e-4)
    assert laws()["kaplan_tokens"].loss(1, 23e9) == pytest.approx(math.exp(0.095 * 7.7612), rel=1e-4)


def test_every_law_with_an_optimum_says_what_size_a_budget_trains():
    found = {best.law: best for best in optima(1e21)}
    assert found.keys() == {"besiroglu", "hoffmann", "muennighoff"}
    best = found["besiroglu"]
    assert 6 * best.parameters * best.tokens == pytest.approx(1e21)
    assert best.predicted_loss.value == pytest.approx(laws()["besiroglu"].loss(best.parameters, best.tokens), rel=1e-6)
    small = optima(1e17)[0]  # 28 M parameters: smaller than any that was fitted on
    assert (small.parameters, small.tokens, small.predicted_loss.value) == (None, None, None)
    assert "are outside of" in small.predicted_loss.reason
