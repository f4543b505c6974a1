"""Every rank holds the whole model, or ZeRO's share of it, and sees its own part of each global batch."""

import time
from collections.abc import Iterable, Iterator

import torch
import torch.distributed as dist
from torch import nn

from jobs.pretrain.batches import MicroBatch
from jobs.pretrain.engine import Engine, total_over


class DataParallelEngine(Engine):
    """DeepSpeed's engine with ZeRO 0 to 3 around `model.GPT`."""

    @property
    def data_rank(self) -> int:
        return dist.get_rank()

    def parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.wrapped.module.named_parameters())

    def _train(self, batches: Iterator[MicroBatch]) -> tuple[float, float, float]:
        device = self.wrapped.device
        total = torch.zeros((), dtype=torch.float64, device=device)
        for number in range(self.batch.accumulation_steps):
            inputs_MS, targets_MS = (tensor.to(device, non_blocking=True) for tensor in next(batches))
            loss = self.loss(self.wrapped(inputs_MS), targets_MS)
            total += loss.detach()
            self.wrapped.backward(loss)
            if number + 1 < self.batch.accumulation_steps:
                self.wrapped.step()  # counts the micro batch; the weights move at the end of the global batch only
        mean = total_over(None, float(total), device) / (self.batch.accumulation_steps * self.batch.data_ranks)
        summed = time.monotonic()
        self.before_optimizer_step()
        return mean, self._step(), summed

    def _step(self) -> float:
        """Take the optimizer's step; the gradient's norm before clipping."""
        if self.training.zero_stage > 0:
            self.wrapped.step()
            return float(self.wrapped.get_global_grad_norm())
        # Without ZeRO, DeepSpeed does not tell the norm; the gradients are averaged over ranks by now.
        gradients = [p.grad for p in self.wrapped.module.parameters() if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        self.clip(norm)
        self.wrapped.step()
        return norm

    @torch.no_grad()
    def loss_sum(self, batches: Iterable[MicroBatch], num_batches: int) -> float:
        module, device = self.wrapped.module, self.wrapped.device
        module.eval()
        total = 0.0
        for inputs_MS, targets_MS in batches:
            total += float(self.loss(module(inputs_MS.to(device)), targets_MS.to(device))) / self.loss.scale
        module.train()
        return total_over(None, total, device)
