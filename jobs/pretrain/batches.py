"""Micro batches: rows of token ids as inputs and targets, padded where the global batch leaves some empty."""

import torch
from torch import Tensor

from jobs.pretrain.model import IGNORED

MicroBatch = tuple[Tensor, Tensor]
"""Inputs and targets, int64 [M, S] each; a target of `model.IGNORED` counts for nothing."""


def micro_batch(rows_NS1: Tensor, micro_batch_sequences: int) -> MicroBatch:
    """Inputs [M, S] and targets [M, S] of int64 [N, S + 1] rows, N <= M; padded rows have no target."""
    inputs_NS, targets_NS = rows_NS1[:, :-1], rows_NS1[:, 1:]
    missing = micro_batch_sequences - rows_NS1.shape[0]
    if not missing:
        return inputs_NS, targets_NS
    padding = (missing, inputs_NS.shape[1])
    inputs_MS = torch.cat([inputs_NS, torch.zeros(padding, dtype=torch.int64)])
    return inputs_MS, torch.cat([targets_NS, torch.full(padding, IGNORED)])
