"""The learning rate at a step: linear warm-up, then a cosine or a line down to the minimum. Pure arithmetic."""

import math

from seedbed.runfile.training import TrainingConfig


def learning_rate(step: int, training: TrainingConfig) -> float:
    """The rate for optimizer step `step`, counted from 0.

    Warm-up step i takes (i + 1) / warmup_steps of the peak, so the peak comes with its last step and no step has rate 0
    for nothing; the last step of the run takes the minimum.
    """
    if step < training.warmup_steps:
        return training.learning_rate * (step + 1) / training.warmup_steps
    decay_steps = training.num_steps - max(training.warmup_steps, 1)  # from the peak's step to the last one
    done = (step - max(training.warmup_steps, 1) + 1) / decay_steps if decay_steps else 1.0
    if training.decay == "cosine":
        share = (1 + math.cos(math.pi * done)) / 2
    else:
        share = 1 - done
    return training.min_learning_rate + (training.learning_rate - training.min_learning_rate) * share
