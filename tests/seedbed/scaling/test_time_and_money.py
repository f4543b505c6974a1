import pytest
from pydantic import ValidationError

from seedbed.runfile.cluster import ClusterConfig, MfuConfig
from seedbed.scaling.time_and_money import Estimate, cost, device_hours, step_time_s, wall_hours

A100 = "nvidia-a100-sxm4-80gb"
MFU = MfuConfig(low=0.25, high=0.5)


def cluster(**changes):
    return ClusterConfig(**{"device": "cuda", "hardware": A100, "mfu": MFU, "training_ranks": 4} | changes)


def test_a_step_takes_its_model_flops_over_what_the_ranks_reach(training):
    # 39e9 FLOPs a token x 32 tokens = 1.248e12; 4 ranks x 312e12 = 1.248e15 FLOP/s at the peak: 1 ms there
    step = step_time_s(39_000_000_000, training(precision="bf16"), cluster())
    assert (step.low, step.high) == (pytest.approx(0.002), pytest.approx(0.004))


def test_hours_device_hours_and_cost_follow(training):
    wall = wall_hours(Estimate(2.0, 4.0), 3600)
    assert (wall.low, wall.high) == (2.0, 4.0)
    hours = device_hours(wall, 8)
    assert (hours.low, hours.high) == (16.0, 32.0)
    assert cost(hours, 1.5) == Estimate(24.0, 48.0)


def test_gpt3_on_a100s_takes_what_narayanan_et_al_report():
    # Narayanan et al. 2021, 5.1: 175 B parameters, 300 B tokens on 1,024 A100s at 140 TFLOP/s: 34 days (8 T P / n X,
    # with all activations computed again). 8 x 300e9 x 175e9 / (1,024 x 140e12) = 2.93e6 s.
    wall = wall_hours(Estimate(1.0, 1.0).times(8 * 300e9 * 175e9 / (1024 * 140e12)), 1)
    assert round(wall.low / 24) == 34


def test_a_stated_peak_goes_before_the_table(training):
    step = step_time_s(10**6, training(), cluster(device="cpu", hardware=None, device_peak_flops_per_second=1e9))
    # 32e6 FLOPs / 4e9 = 8 ms at the peak
    assert (step.low, step.high) == (pytest.approx(0.016), pytest.approx(0.032))


def test_rows_of_padding_take_their_time(training):
    on_one = cluster(device="cpu", hardware=None, device_peak_flops_per_second=1e9)
    full = step_time_s(10**6, training(), on_one)
    padded = step_time_s(10**6, training(), on_one, rows_per_sequence=1.25)
    assert padded == full.times(1.25)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mfu": None}, "cluster.mfu is not stated"),
        ({"hardware": None}, "cluster.hardware is not stated"),
        ({"hardware": "nvidia-v100-sxm2-16gb"}, "no peak in bf16 is known of cluster.hardware nvidia-v100-sxm2-16gb"),
        ({"device": "cpu"}, "cluster.device is cpu, and cluster.hardware nvidia-a100-sxm4-80gb is none"),
    ],
)
def test_what_is_not_known_stays_unknown_and_says_why(training, changes, reason):
    step = step_time_s(1000, training(precision="bf16"), cluster(**changes))
    assert step.low is None
    assert step.high is None
    assert step.reason.startswith(reason)
    assert device_hours(wall_hours(step, 10), 4) == step
    assert cost(step, 2.0) == step


def test_without_a_price_there_is_no_cost():
    assert cost(Estimate(1.0, 2.0), None).reason.startswith("cluster.price_per_device_hour is not stated")


def test_a_range_of_mfu_goes_up():
    with pytest.raises(ValidationError, match=r"low 0\.5 is above high 0\.4"):
        MfuConfig(low=0.5, high=0.4)
