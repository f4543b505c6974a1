"""How good a model is on held-out tokens, beside what counting tokens and pairs achieves.

Shape suffixes: N samples, S sequence length.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from dataprep.ngram_baseline import bigram_loss, unigram_loss
from dataprep.token_stream import TokenStream
from jobs.pretrain.model import next_token_loss
from jobs.scores import bits_per_byte, perplexity

MAX_COUNTED_TOKENS = 20_000_000
"""Training tokens that n-grams are counted over at most: counting takes 44 bytes a token."""


@dataclass(frozen=True)
class Evaluation:
    """Losses in nats per token over the same held-out positions."""

    validation_loss: float
    perplexity: float | None  # exp(validation_loss)
    bits_per_byte: float
    unigram_loss: float
    bigram_loss: float
    num_tokens: int  # predicted


def evaluate(
    model: nn.Module,
    training: TokenStream,
    validation: TokenStream,
    validation_bytes: int,
    vocab_size: int,
    sequence_length: int,
    max_tokens: int,
    batch_sequences: int = 16,
) -> Evaluation:
    """Scores of `model` (tokens_BT -> logits_BTV) on the first `max_tokens` of `validation`, in whole samples.

    The n-grams are counted over the first MAX_COUNTED_TOKENS of `training`: its documents stand in the order of a hash,
    so those are a sample of all. End-of-document tokens count like any other.
    """
    indices = validation_samples(validation, sequence_length, max_tokens)
    num_tokens = indices.size * sequence_length
    loss = loss_sum(model, validation, indices, sequence_length, batch_sequences) / num_tokens
    counted, heldout = (
        training.read(0, min(training.num_tokens, MAX_COUNTED_TOKENS)),
        validation.read(0, num_tokens + 1),
    )
    return Evaluation(
        validation_loss=loss,
        perplexity=perplexity(loss),
        bits_per_byte=bits_per_byte(loss, validation.num_tokens, validation_bytes),
        unigram_loss=unigram_loss(counted, heldout, vocab_size),
        bigram_loss=bigram_loss(counted, heldout, vocab_size),
        num_tokens=num_tokens,
    )


def validation_samples(stream: TokenStream, sequence_length: int, max_tokens: int) -> npt.NDArray[np.int64]:
    """The first samples of the stream, at least one and `max_tokens` at most, where there are as many."""
    return np.arange(min(max(max_tokens // sequence_length, 1), stream.num_samples(sequence_length)))


@torch.no_grad()
def loss_sum(
    model: nn.Module,
    stream: TokenStream,
    indices: npt.NDArray[np.int64],
    sequence_length: int,
    batch_sequences: int,
) -> float:
    """The loss in nats added up over every token of the samples `indices` [N]; dropout is off meanwhile."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total = 0.0
    for start in range(0, indices.size, batch_sequences):
        batch = indices[start : start + batch_sequences]
        rows_NS1 = torch.from_numpy(stream.samples(batch, sequence_length)).to(device)
        total += float(next_token_loss(model(rows_NS1[:, :-1]), rows_NS1[:, 1:], reduction="sum"))
    model.train(was_training)
    return total
