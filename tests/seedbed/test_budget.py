from dataclasses import replace

import pytest
from pydantic import ValidationError

from seedbed.budget import Finding, check_budget, nearest_num_steps, verdict
from seedbed.plan_numbers import PlanNumbers
from seedbed.runfile.budget import BudgetConfig
from seedbed.scaling.laws import predict
from seedbed.scaling.time_and_money import Estimate

# 6 x 900 + 600 = 6,000 FLOPs a token; 6,000 x 20,000 = 1.2e8 FLOPs; 20,000 / 1,000 = 20 tokens per parameter.
# 20 steps x 360 to 720 s = 2 to 4 hours; on 2 ranks 4 to 8 device hours; at 10 an hour 40 to 80 of money.
NUMBERS = PlanNumbers(
    parameters=1_000,
    parameters_without_embeddings=800,
    matmul_parameters=900,
    flops_per_token=6_000,
    num_steps=20,
    global_batch_tokens=1_000,
    unique_tokens=5_000,
    max_unique_tokens=9_000,
    step_time_s=Estimate(360.0, 720.0),
    num_ranks=2,
    micro_batches_per_step=8,
    price_per_device_hour=10.0,
)
NOTHING = BudgetConfig(max_repeats=None)


def findings(numbers=NUMBERS, **limits):
    return check_budget(NOTHING.model_copy(update=limits), numbers)


def test_without_limits_nothing_is_found_and_the_verdict_is_pass():
    assert findings() == []
    assert verdict([]) == "pass"


def test_too_many_flops_are_refused_with_their_arithmetic():
    (finding,) = findings(max_flops=1e8)
    assert (finding.limit, finding.level, finding.measured, finding.allowed) == (
        "budget.max_flops",
        "refuse",
        1.2e8,
        1e8,
    )
    assert finding.message == (
        "(6 x 900 matmul parameters + 600 for attention and recomputation) x 20,000 tokens = 1.2e+08 FLOPs"
        # 1e8 / 6e6 a step = 16.7 steps; 1,000 x 1e8 / 1.2e8 = 833 parameters
        " > budget.max_flops 1e+08: would pass with training.num_steps at most 16 (16,000 tokens; now 20),"
        " or at most 833 parameters (now 1,000)"
    )


def test_a_limit_that_is_just_reached_is_kept():
    (finding,) = findings(max_flops=1.2e8)
    assert finding.level == "pass"
    assert finding.message.endswith("= 1.2e+08 FLOPs <= budget.max_flops 1.2e+08")
    (finding,) = findings(max_repeats=4.0)
    assert finding.level == "pass"


@pytest.mark.parametrize(
    ("limit", "value", "level", "comparison"),
    [
        ("min_tokens_per_parameter", 20.0, "pass", ">= budget.min_tokens_per_parameter 20"),
        ("min_tokens_per_parameter", 21.0, "refuse", "< budget.min_tokens_per_parameter 21: would pass with"),
        ("warn_min_tokens_per_parameter", 21.0, "warn", "< budget.warn_min_tokens_per_parameter 21: would pass with"),
        ("max_tokens_per_parameter", 20.0, "pass", "<= budget.max_tokens_per_parameter 20"),
        ("max_tokens_per_parameter", 19.5, "refuse", "> budget.max_tokens_per_parameter 19.5: would pass with"),
        ("warn_max_tokens_per_parameter", 19.5, "warn", "> budget.warn_max_tokens_per_parameter 19.5: would pass with"),
    ],
)
def test_tokens_per_parameter_are_held_against_both_ends(limit, value, level, comparison):
    (finding,) = findings(**{limit: value})
    assert (finding.limit, finding.level, finding.measured) == (f"budget.{limit}", level, 20.0)
    assert f"20,000 tokens / 1,000 parameters = 20 tokens per parameter {comparison}" in finding.message


def test_repeats_are_counted_over_the_unique_tokens():
    (finding,) = findings(max_repeats=3.0)
    assert (finding.level, finding.measured) == ("refuse", 4.0)
    assert finding.message == (
        "20,000 training tokens / 5,000 unique tokens = 4 repeats > budget.max_repeats 3:"
        # 3 x 5,000 = 15 steps; 20,000 / 3 = 6,667
        " would pass with training.num_steps at most 15 (15,000 tokens; now 20),"
        " or at least 6,667 unique tokens (now 5,000)"
    )


def test_of_nothing_no_number_of_repeats_is_allowed():
    (finding,) = findings(replace(NUMBERS, unique_tokens=0), max_repeats=30_000.0)  # more than there are tokens
    assert finding.level == "refuse"
    assert finding.message.startswith("20,000 training tokens, but 0 unique tokens: there is nothing to repeat: ")


def test_before_tokens_are_counted_the_most_there_can_be_is_taken_and_the_check_is_said_to_come_again():
    (finding,) = findings(replace(NUMBERS, unique_tokens=None), max_repeats=3.0)
    assert finding.level == "pass"
    assert finding.message == (
        "20,000 training tokens / at most 9,000 unique tokens (by the size of the sources) = at least 2.222 repeats"
        " <= budget.max_repeats 3; checked again when `shards` has counted the tokens"
    )


def test_what_repeats_too_often_at_best_is_refused_at_once():
    (finding,) = findings(replace(NUMBERS, unique_tokens=None), max_repeats=2.0)
    assert finding.level == "refuse"
    assert (
        "at most 9,000 unique tokens (by the size of the sources) = at least 2.222 repeats > budget" in finding.message
    )


def test_no_unique_tokens_at_all_are_refused():
    (finding,) = findings(replace(NUMBERS, unique_tokens=0), max_repeats=4.0)
    assert finding.level == "refuse"


def test_the_worst_finding_is_the_verdict():
    found = findings(max_flops=1e9, warn_min_tokens_per_parameter=30.0)
    assert [finding.level for finding in found] == ["pass", "warn"]
    assert verdict(found) == "warn"
    assert verdict([*found, *findings(max_repeats=1.0)]) == "refuse"


def test_limits_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="min_tokens_per_parameter 30 is above max_tokens_per_parameter 20"):
        BudgetConfig(min_tokens_per_parameter=30.0, max_tokens_per_parameter=20.0)


def nearest(finding):
    return {change.key: (change.bound, change.value) for change in finding.nearest}


@pytest.mark.parametrize(
    ("limits", "changes"),
    [
        # 25 x 1,000 parameters = 25 steps; 20,000 / 25 = 800 parameters
        ({"min_tokens_per_parameter": 25.0}, {"training.num_steps": ("at least", 25), "parameters": ("at most", 800)}),
        ({"max_tokens_per_parameter": 8.0}, {"training.num_steps": ("at most", 8), "parameters": ("at least", 2500)}),
        ({"max_repeats": 1.0}, {"training.num_steps": ("at most", 5), "unique_tokens": ("at least", 20_000)}),
        # All of the range must be within: 0.4 device hours a step at worst, so 3.5 / 0.4 = 8.75 steps; 1,000 x 3.5 / 8
        ({"max_device_hours": 3.5}, {"training.num_steps": ("at most", 8), "parameters": ("at most", 437)}),
        # 4 hours on 2 ranks are 2 on 4, and 4 divides the 8 micro batches
        (
            {"max_wall_hours": 2.0},
            {
                "training.num_steps": ("at most", 10),
                "parameters": ("at most", 500),
                "cluster.training_ranks": ("at least", 4),
            },
        ),
        # more ranks cost the same: 4 of money a step at worst
        ({"max_cost": 30.0}, {"training.num_steps": ("at most", 7), "parameters": ("at most", 375)}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_each_single_change_that_would_do_is_said_with_its_number(limits, changes):
    (finding,) = findings(**limits)
    assert nearest(finding) == changes


def test_what_a_change_says_does_pass_and_the_next_does_not():
    (finding,) = findings(max_flops=1e8)
    for change in finding.nearest:
        change_to = NUMBERS.with_steps if change.key == "training.num_steps" else NUMBERS.with_parameters
        assert verdict(findings(change_to(change.value), max_flops=1e8)) == "pass"
        assert verdict(findings(change_to(change.value + 1), max_flops=1e8)) == "refuse"


@pytest.mark.parametrize(
    ("allowed", "level", "comparison"),
    [(8.0, "pass", "<="), (7.0, "warn", "reach beyond"), (3.9, "refuse", ">")],
)
def test_a_range_passes_whole_is_refused_whole_and_else_is_warned_of(allowed, level, comparison):
    (finding,) = findings(max_device_hours=allowed)
    assert (finding.level, finding.measured) == (level, 8.0)
    arithmetic = "2 to 4 hours x 2 ranks = 4 to 8 device hours"
    assert finding.message.startswith(f"{arithmetic} {comparison} budget.max_device_hours {allowed:g}")


def test_wall_time_and_money_show_their_arithmetic():
    (wall,) = findings(max_wall_hours=5.0)
    assert wall.message == "20 steps x 360 to 720 s / 3,600 = 2 to 4 hours <= budget.max_wall_hours 5"
    (money,) = findings(max_cost=100.0)
    assert money.message == "4 to 8 device hours x 10 = 40 to 80 <= budget.max_cost 100"


@pytest.mark.parametrize("limit", ["max_device_hours", "max_wall_hours", "max_cost"])
def test_a_limit_on_what_is_unknown_warns_and_says_why(limit):
    unknown = replace(NUMBERS, step_time_s=Estimate.unknown("cluster.mfu is not stated"))
    (finding,) = findings(unknown, **{limit: 1.0})
    assert (finding.level, finding.measured, finding.nearest) == ("warn", None, ())
    assert finding.message == (
        f"budget.{limit} 1 cannot be checked before the training starts: cluster.mfu is not stated;"
        " while it trains, what is spent is held to it"
    )


def test_a_limit_on_money_without_a_price_says_that_it_limits_nothing():
    (finding,) = findings(replace(NUMBERS, price_per_device_hour=None), max_cost=1.0)
    assert finding.level == "warn"
    assert finding.message.endswith(
        "cluster.price_per_device_hour is not stated; no prices are shipped; so it limits nothing"
    )


def ranks_that_would_do(**changes):
    (finding,) = findings(replace(NUMBERS, **changes), max_wall_hours=2.0)
    return nearest(finding).get("cluster.training_ranks")


def test_ranks_are_advised_in_whole_pipelines_and_where_they_cut_the_batch():
    assert ranks_that_would_do() == ("at least", 4)
    assert ranks_that_would_do(num_ranks=3, ranks_per_model=3) == ("at least", 6)
    assert ranks_that_would_do(micro_batches_per_step=0) is None  # whatever their number, rows would be padding


def test_more_ranks_that_divide_the_batch_need_no_padding():
    padded = replace(NUMBERS, num_ranks=3, rows_per_sequence=1.5)
    on_six = padded.with_ranks(6)
    assert on_six.step_time_s == padded.step_time_s.times(1 / 2 / 1.5)
    assert on_six.with_ranks(12).step_time_s == on_six.step_time_s.times(1 / 2)


# 1e9 parameters on 1e10 new tokens: 2.63 nats by Besiroglu's law
LARGE = replace(
    NUMBERS,
    parameters=10**9,
    num_steps=10_000,
    global_batch_tokens=10**6,
    unique_tokens=10**12,
    max_unique_tokens=10**12,
)


def test_the_predicted_loss_is_held_against_its_limit():
    (finding,) = findings(LARGE, max_predicted_loss=2.7)
    assert (finding.level, finding.measured) == ("pass", pytest.approx(2.63, abs=0.01))
    (finding,) = findings(LARGE, max_predicted_loss=2.5)
    assert finding.level == "refuse"
    steps = nearest(finding)["training.num_steps"][1]
    # 1.8172 + 482.01 / 1e9^.3478 + 2085.43 / D^.3658 = 2.5 where D = (2085.43 / 0.3259)^(1 / .3658) = 2.56e10
    assert steps == pytest.approx(25_600, rel=0.01)
    assert predict("besiroglu", 10**9, 1, steps * 10**6, 10**12).value <= 2.5
    assert predict("besiroglu", 10**9, 1, (steps - 1) * 10**6, 10**12).value > 2.5


def test_a_loss_that_no_law_predicts_warns():
    (finding,) = findings(max_predicted_loss=3.0)
    assert finding.level == "warn"
    assert finding.message.startswith("budget.max_predicted_loss 3 cannot be checked: 1,000 parameters are outside")


def test_a_loss_that_no_near_plan_reaches_says_to_raise_the_limit():
    (finding,) = findings(LARGE, max_predicted_loss=1.8)  # below E, what no model gets under
    assert finding.nearest == ()
    assert finding.message.endswith("budget.max_predicted_loss 1.8: raise the limit")


def test_the_nearest_number_of_steps_keeps_all_limits_at_once():
    limits = NOTHING.model_copy(update={"max_flops": 1e8, "max_repeats": 3.0})
    assert nearest_num_steps(limits, NUMBERS, check_budget(limits, NUMBERS)) == 15  # 16 by the FLOPs alone


def test_no_fewer_steps_are_advised_than_the_warm_up_takes():
    (finding,) = findings(replace(NUMBERS, min_num_steps=17), max_flops=1e8)  # 16 would do
    assert nearest(finding) == {"parameters": ("at most", 833)}
    (finding,) = findings(replace(NUMBERS, min_num_steps=16), max_flops=1e8)
    assert nearest(finding)["training.num_steps"] == ("at most", 16)


def test_where_limits_contradict_each_other_no_number_of_steps_is_named():
    limits = NOTHING.model_copy(update={"max_flops": 1e8, "min_tokens_per_parameter": 18.0})
    assert nearest_num_steps(limits, NUMBERS, check_budget(limits, NUMBERS)) is None


def test_a_finding_survives_being_written_down():
    (finding,) = findings(max_flops=1e8)
    assert Finding.from_json(finding.to_json()) == finding
    old = finding.to_json()
    del old["nearest"]
    assert Finding.from_json(old).nearest == ()
