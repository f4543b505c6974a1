"""What a loss is turned into: perplexity, and bits per byte, which can be compared across tokenizers."""

import math


def perplexity(loss: float) -> float | None:
    """exp(loss), for a loss in nats per token; None beyond what a float holds."""
    try:
        return math.exp(loss)
    except OverflowError:
        return None


def bits_per_byte(loss: float, num_tokens: int, num_bytes: int) -> float:
    """Bits that a model needs for a byte of text.

    `loss` is in nats per token; `num_tokens` and `num_bytes` are the whole split's, as tokens and as UTF-8 text. Where
    only a part of the split was scored, its mean stands for all. Nothing is left out: an end-of-document token costs
    bits and adds no bytes.
    """
    return loss / math.log(2) * num_tokens / num_bytes
