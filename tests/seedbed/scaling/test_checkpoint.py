from seedbed.scaling import checkpoint_size, parameter_counts


def test_a_checkpoint_holds_fp32_weights_and_two_moments(tiny):
    size, parameters = checkpoint_size(tiny), parameter_counts(tiny).total
    assert (size.weights, size.optimizer, size.total) == (4 * parameters, 8 * parameters, 12 * parameters)
