import pytest

from seedbed.scaling import checkpoint_size, parameter_counts


@pytest.mark.parametrize(
    ("precision", "stage", "weights", "optimizer"),
    # bytes a parameter: weights in the precision of training; two fp32 moments, and under ZeRO the fp32 weights
    [("fp32", 0, 4, 8), ("fp32", 1, 4, 12), ("bf16", 1, 2, 12)],
)
def test_a_checkpoint_holds_weights_and_optimizer(tiny, training, precision, stage, weights, optimizer):
    size = checkpoint_size(tiny, training(precision=precision, zero_stage=stage))
    parameters = parameter_counts(tiny).total
    assert (size.weights, size.optimizer) == (weights * parameters, optimizer * parameters)
    assert size.total == (weights + optimizer) * parameters
