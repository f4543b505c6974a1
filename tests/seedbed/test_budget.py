from dataclasses import replace

import pytest
from pydantic import ValidationError

from seedbed.budget import PlanNumbers, check_budget, verdict
from seedbed.runfile.budget import BudgetConfig

# 6 x 900 + 600 = 6,000 FLOPs a token; 6,000 x 20,000 = 1.2e8 FLOPs; 20,000 / 1,000 = 20 tokens per parameter.
NUMBERS = PlanNumbers(
    parameters=1_000,
    matmul_parameters=900,
    flops_per_token=6_000,
    training_tokens=20_000,
    unique_tokens=5_000,
    max_unique_tokens=9_000,
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
        " > budget.max_flops 1e+08: take fewer steps or a smaller model, or raise the limit"
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
        ("min_tokens_per_parameter", 21.0, "refuse", "< budget.min_tokens_per_parameter 21: take more steps"),
        ("warn_min_tokens_per_parameter", 21.0, "warn", "< budget.warn_min_tokens_per_parameter 21: more steps"),
        ("max_tokens_per_parameter", 20.0, "pass", "<= budget.max_tokens_per_parameter 20"),
        ("max_tokens_per_parameter", 19.5, "refuse", "> budget.max_tokens_per_parameter 19.5: take fewer steps"),
        ("warn_max_tokens_per_parameter", 19.5, "warn", "> budget.warn_max_tokens_per_parameter 19.5: a larger model"),
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
        " take fewer steps or more data, or raise the limit"
    )


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
