import pytest

from seedbed.runfile.budget import BudgetConfig
from seedbed.spending import Price, Spending, Spent, passed_limit

PRICE = Price(num_steps=10, flops_per_step=1_000, price_per_device_hour=2.0)


def limits(**changes):
    return BudgetConfig(max_repeats=None, **changes)


@pytest.fixture
def half_way():
    """5 of 10 steps in 360 s each on 4 ranks, and 1,800 s for all else: an hour, and 4 device hours."""
    spending = Spending()
    for step in range(1, 6):
        spending.take_step(step, 360.0)
    spending.pass_time(3600.0, num_ranks=4)
    return spending


def test_what_is_spent_is_counted_from_steps_and_time(half_way):
    assert half_way.spent(PRICE) == Spent(5, 5_000, 1.0, 4.0, 8.0)
    assert half_way.goodput == 0.5  # 1,800 of 3,600 s


def test_the_forecast_adds_the_steps_that_are_left_at_their_mean(half_way):
    # 5 steps x 360 s = half an hour more, on 4 ranks
    assert half_way.forecast(PRICE) == Spent(10, 10_000, 1.5, 6.0, 12.0)


def test_steps_that_a_restart_takes_again_are_paid_for_twice(half_way):
    half_way.take_up(3)
    assert (half_way.step, half_way.steps_lost) == (3, 2)
    assert half_way.goodput == pytest.approx(3 * 360 / 3600)
    for step in (4, 5):
        half_way.take_step(step, 360.0)
    assert half_way.spent(PRICE).flops == 7_000
    assert half_way.forecast(PRICE).flops == 12_000


def test_what_was_told_before_counts_once(half_way):
    half_way.take_step(5, 360.0)
    assert half_way.spent(PRICE).steps_taken == 5


def test_steps_of_before_the_count_began_count_too():
    spending = Spending()
    spending.take_up(40)  # a checkpoint whose spending nobody kept
    assert spending.spent(PRICE).steps_taken == 40
    spending.take_step(41, 7.2)
    spending.pass_time(36.0, num_ranks=1)
    # 59 steps are left, 7.2 s each, beside the 36 s
    assert spending.forecast(Price(100, 1, None)).wall_hours == pytest.approx((36 + 59 * 7.2) / 3600)


def test_without_a_price_there_is_no_cost_and_without_a_step_no_forecast(half_way):
    assert half_way.spent(Price(10, 1_000, None)).cost is None
    assert Spending().forecast(PRICE) is None
    assert Spending().goodput is None


@pytest.mark.parametrize(
    ("limit", "allowed", "arithmetic"),
    [
        ("max_flops", 4999, "5 steps x 1,000 = 5000 FLOPs"),
        ("max_wall_hours", 0.9, "3,600.0 s / 3,600 = 1 hours"),
        ("max_device_hours", 3.9, "14,400.0 device seconds / 3,600 = 4 device hours"),
        ("max_cost", 7.9, "14,400.0 device seconds / 3,600 = 4 device hours x 2 = 8"),
    ],
)
def test_a_limit_is_passed_beyond_it_with_the_arithmetic(half_way, limit, allowed, arithmetic):
    passed = passed_limit(limits(**{limit: allowed}), half_way, PRICE)
    assert passed == f"the training has spent {arithmetic}, which is more than budget.{limit} {allowed:g}"
    reached = {"max_flops": 5000, "max_wall_hours": 1.0, "max_device_hours": 4.0, "max_cost": 8.0}[limit]
    assert passed_limit(limits(**{limit: reached}), half_way, PRICE) is None


def test_lost_steps_stand_in_the_arithmetic(half_way):
    half_way.take_up(3)
    passed = passed_limit(limits(max_flops=4000), half_way, PRICE)
    assert "5 steps, 2 of them lost to restarts and taken again, x 1,000 = 5000 FLOPs" in passed


def test_the_count_survives_being_written_down(half_way):
    assert Spending.from_json(half_way.to_json()) == half_way
