"""The data of a comparison: drawn from the step's number, the same in every layout."""

from collections.abc import Iterator

import torch
from torch import Tensor

from jobs.pretrain.batches import MicroBatch, micro_batch
from jobs.pretrain.conform.case import Case
from seedbed.layout import BatchLayout


def rows(case: Case, step: int) -> Tensor:
    """The global batch of a step: int64 [B, S + 1]."""
    generator = torch.Generator().manual_seed(1000 + step)
    sequences = case.training.global_batch_tokens // case.model.sequence_length
    # Not every token is as likely as another: gradients of the embedding's rows differ in size.
    skewed = torch.rand((sequences, case.model.sequence_length + 1), generator=generator) ** 2
    return (skewed * case.model.vocab_size).long()


def batches(case: Case, step: int, data_rank: int, batch: BatchLayout) -> Iterator[MicroBatch]:
    """What a data rank sees of it."""
    whole = rows(case, step)
    for number in range(batch.accumulation_steps):
        yield micro_batch(whole[batch.rows_of(number, data_rank)], batch.micro_batch_sequences)
