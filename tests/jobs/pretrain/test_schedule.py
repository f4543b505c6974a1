import pytest

from jobs.pretrain.schedule import learning_rate
from seedbed.runfile.training import TrainingConfig


def rates(**changes):
    base = {"num_steps": 7, "global_batch_tokens": 32, "micro_batch_sequences": 1, "learning_rate": 1.0}
    training = TrainingConfig(**base | changes)
    return [learning_rate(step, training) for step in range(training.num_steps)]


def test_linear_goes_up_to_the_peak_and_down_to_the_minimum():
    # two steps up; then five from the peak's step on, each 1/5 of the way from 1.0 to 0.5
    expected = [0.5, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert rates(warmup_steps=2, min_learning_rate=0.5, decay="linear") == pytest.approx(expected)


def test_cosine_is_half_way_in_the_middle():
    # peak at step 2, minimum at step 6; cos(pi / 4) = 0.7071
    expected = [1 / 3, 2 / 3, 1.0, 0.853553, 0.5, 0.146447, 0.0]
    assert rates(warmup_steps=3) == pytest.approx(expected, abs=1e-6)


def test_without_a_warm_up_the_first_step_has_the_peak():
    assert rates(decay="linear", num_steps=3) == pytest.approx([1.0, 0.5, 0.0])


def test_one_step_takes_the_minimum():
    assert rates(num_steps=1, min_learning_rate=0.1) == [0.1]
