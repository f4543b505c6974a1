"""How good a model is on held-out tokens, beside what counting tokens and pairs achieves.

Shape suffixes: N samples, S sequence length.
"""

from collections.abc import Sequence
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
    losses: npt.NDArray[np.float32],
    counted: npt.NDArray[np.int64],
    validation: TokenStream,
    validation_bytes: int,
    vocab_size: int,
) -> Evaluation:
    """Scores of a model whose `losses` [n] are those of tokens 1 to n of `validation` (`token_losses`).

    The n-grams are counted over the training tokens `counted`. End-of-document tokens count like any other.
    """
    num_tokens = losses.size
    loss = float(np.sum(losses, dtype=np.float64)) / num_tokens
    heldout = validation.read(0, num_tokens + 1)
    return Evaluation(
        validation_loss=loss,
        perplexity=perplexity(loss),
        bits_per_byte=bits_per_byte(loss, validation.num_tokens, validation_bytes),
        unigram_loss=unigram_loss(counted, heldout, vocab_size),
        bigram_loss=bigram_loss(counted, heldout, vocab_size),
        num_tokens=num_tokens,
    )


def counted_tokens(streams: Sequence[tuple[TokenStream, int]]) -> npt.NDArray[np.int64]:
    """Training tokens to count n-grams over: of each stream the first, in proportion to what is taken of it.

    The documents of a stream stand in the order of a hash, so its first are a sample of all.
    """
    total = sum(taken for _, taken in streams)
    limits = [(stream, MAX_COUNTED_TOKENS * taken // total) for stream, taken in streams]
    return np.concatenate([stream.read(0, min(limit, stream.num_tokens)) for stream, limit in limits])


def validation_samples(stream: TokenStream, sequence_length: int, max_tokens: int) -> npt.NDArray[np.int64]:
    """The first samples of the stream, at least one and `max_tokens` at most, where there are as many."""
    return np.arange(min(max(max_tokens // sequence_length, 1), stream.num_samples(sequence_length)))


@torch.no_grad()
def token_losses(
    model: nn.Module,
    stream: TokenStream,
    indices: npt.NDArray[np.int64],
    sequence_length: int,
    batch_sequences: int = 16,
) -> npt.NDArray[np.float32]:
    """The loss in nats of `model` (tokens_BT -> logits_BTV) at every token of the samples `indices` [N], in order:
    float32[N S]. Dropout is off meanwhile."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    found = [np.zeros(0, np.float32)]
    for start in range(0, indices.size, batch_sequences):
        batch = indices[start : start + batch_sequences]
        rows_NS1 = torch.from_numpy(stream.samples(batch, sequence_length)).to(device)
        losses = next_token_loss(model(rows_NS1[:, :-1]), rows_NS1[:, 1:], reduction="none")
        found.append(losses.cpu().numpy())
    model.train(was_training)
    return np.concatenate(found)
