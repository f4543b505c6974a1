"""What the comparison makes of traces that are there already."""

import math

import pytest
import torch

from jobs.pretrain.conform.case import cases_of
from jobs.pretrain.conform.compare import compare
from jobs.pretrain.conform.trace import Trace
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

pytestmark = pytest.mark.slow  # importing torch takes seconds

CASE = cases_of(
    ModelConfig(num_layers=1, width=8, num_heads=1, sequence_length=8, vocab_size=300),
    TrainingConfig(num_steps=3, global_batch_tokens=64, micro_batch_sequences=1, learning_rate=0.1),
)[0]


def trace():
    return Trace(
        losses=[3.0, 2.0, 1.0],
        norms=[1.0, 1.0, 1.0],
        gradients=[{"a": torch.ones(2), "b": torch.ones(2)} for _ in range(3)],
        weights=[{"a": torch.full((2,), float(n)), "b": torch.full((2,), float(n))} for n in (1, 2, 3)],
        divergences=[0.0, 0.0, 0.0],
    )


def compared(layout):
    initial = {"a": torch.zeros(2), "b": torch.zeros(2)}
    return compare(CASE, layout, trace(), trace(), initial)


def test_the_same_passes():
    assert compared(trace()).passed


def test_a_norm_that_is_no_number_in_one_step_is_not_hidden_by_the_next():
    layout = trace()
    layout.norms[0] = math.nan
    failed = [check for check in compared(layout).checks if not check.passed]
    assert [(check.what, check.step) for check in failed] == [("gradient norm before clipping", 1)]


def test_copies_of_a_parameter_that_are_not_the_same_do_not_pass():
    layout = trace()
    layout.divergences[1] = 0.01
    failed = [check for check in compared(layout).checks if not check.passed]
    assert [(check.what, check.step) for check in failed] == [("copies of a parameter on several ranks", 2)]
