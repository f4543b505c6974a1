"""The same steps in a layout: through the engine that trains, gradients and weights gathered from all ranks."""

import math
from collections.abc import Callable

import torch
import torch.distributed as dist
from deepspeed.utils import safe_get_full_grad
from torch import Tensor

from jobs.pretrain.build import build_engine
from jobs.pretrain.conform import data
from jobs.pretrain.conform.case import NUM_STEPS, SGD_RATE, Case
from jobs.pretrain.conform.trace import Tensors, Trace, relative
from jobs.pretrain.engine import Engine, MakeOptimizer
from jobs.pretrain.state import master_weights

Mutate = Callable[[Engine], None]
"""Breaks an engine, to see whether the comparison notices."""


def layout_trace(case: Case, mutate: Mutate | None = None) -> Trace:
    """The steps of `case` over all ranks, which call it together. The trace is whole on rank 0."""
    batch = case.batch(dist.get_world_size())
    engine = build_engine(case.model, case.training, batch, _optimizer(case))
    if mutate is not None:
        mutate(engine)
    trace, gradients = Trace(), {}

    def keep() -> None:
        gradients.update({name: _gradient(engine, name).cpu().clone() for name in engine.parameters()})

    engine.before_optimizer_step = keep
    for step in range(NUM_STEPS):
        result = engine.step(data.batches(case, step, engine.data_rank, batch), case.learning_rate(step))
        trace.losses.append(result.loss)
        trace.norms.append(result.gradient_norm)
        whole_gradients, apart = _gathered(gradients)
        whole_weights, weights_apart = _gathered(master_weights(engine))
        trace.gradients.append(whole_gradients)
        trace.weights.append(whole_weights)
        trace.divergences.append(max(apart, weights_apart))
    engine.destroy()
    return trace


def _optimizer(case: Case) -> MakeOptimizer | None:
    if case.optimizer == "adamw":
        return None
    return lambda groups: torch.optim.SGD(groups, lr=SGD_RATE)


def _gradient(engine: Engine, name: str) -> Tensor:
    gradient = safe_get_full_grad(engine.parameters()[name])
    assert gradient is not None, f"{name} has no gradient"
    return gradient.detach().float() / engine.loss_scale


def _gathered(mine: Tensors) -> tuple[Tensors, float]:
    """On rank 0 what all ranks have, by name, and how far the copies that several have are apart at most."""
    parts: list[Tensors | None] = [None] * dist.get_world_size()
    dist.gather_object(mine, parts if dist.get_rank() == 0 else None)
    whole: Tensors = {}
    apart = 0.0
    for part in parts:
        for name, tensor in (part or {}).items():
            if name in whole:
                found = relative(tensor, whole[name])
                apart = math.inf if math.isnan(found) else max(apart, found)
            whole.setdefault(name, tensor)
    return whole, apart
