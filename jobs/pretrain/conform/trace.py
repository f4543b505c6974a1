"""What a few steps of training did, in full: losses, gradients before the step, norms, weights after it."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

Tensors = dict[str, Tensor]
"""By the parameter's name in `model.GPT`: fp32 on the CPU, a tied weight once."""


@dataclass
class Trace:
    """One entry a step; of a layout, on rank 0 alone."""

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    gradients: list[Tensors] = field(default_factory=list)
    weights: list[Tensors] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)  # relative, of copies that ranks hold; empty for one process


def distance(left: Tensors, right: Tensors) -> float:
    """Euclidean distance of two sets of tensors."""
    return float(sum(((left[name] - right[name]).double() ** 2).sum() for name in right)) ** 0.5


def length(tensors: Tensors) -> float:
    return float(sum((tensor.double() ** 2).sum() for tensor in tensors.values())) ** 0.5


def relative(left: Tensor, right: Tensor) -> float:
    """||left - right|| / ||right||; where right is zero, whether left is not."""
    size = float(torch.linalg.vector_norm(right.double()))
    difference = float(torch.linalg.vector_norm((left - right).double()))
    return difference / size if size else (0.0 if difference == 0 else float("inf"))
