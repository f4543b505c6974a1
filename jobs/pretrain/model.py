"""The transformer as a list of blocks, each from one tensor to one tensor.

    tokens_BT -> TokenEmbedding -> PositionEmbedding -> TransformerBlock x L -> FinalNorm -> Projection -> logits_BTV

So the same blocks run one after the other here, or cut into the stages of a pipeline. Each draws its initial weights
from a seed of its own, so they are the same in every layout, whichever process builds the block.
Shape suffixes: B sequences, T tokens of a sequence, D width, H heads, K width of a head, V vocabulary.
"""

import math
from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from seedbed.runfile.model import ModelConfig

LAYER_NORM_EPSILON = 1e-5  # GPT-2's `layer_norm_epsilon`

IGNORED = -100
"""A target that no loss is taken of: what pads a micro batch that the global batch does not fill."""


class TokenEmbedding(nn.Module):
    """A row for each token: tokens_BT -> x_BTD. Where embeddings are tied, it is the output projection too."""

    def __init__(self, config: ModelConfig, seed: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.vocab_size, config.width))
        nn.init.normal_(self.weight, std=config.initializer_std, generator=_generator(seed))

    def forward(self, tokens_BT: Tensor) -> Tensor:
        return F.embedding(tokens_BT, self.weight)

    def project(self, x_BTD: Tensor) -> Tensor:
        """x_BTD -> logits_BTV."""
        return F.linear(x_BTD, self.weight)


class PositionEmbedding(nn.Module):
    """Adds a learned row for each position, then drops out: x_BTD -> x_BTD."""

    def __init__(self, config: ModelConfig, seed: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.sequence_length, config.width))
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.weight, std=config.initializer_std, generator=_generator(seed))

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.dropout(x_BTD + self.weight[: x_BTD.shape[1]])


class Attention(nn.Module):
    """Causal multi-head self-attention: x_BTD -> x_BTD."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.dropout = config.dropout
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.output = nn.Linear(config.width, config.width)

    def forward(self, x_BTD: Tensor) -> Tensor:
        batch, length, width = x_BTD.shape
        heads_BT3HK = self.query_key_value(x_BTD).view(batch, length, 3, self.num_heads, width // self.num_heads)
        q_BHTK, k_BHTK, v_BHTK = heads_BT3HK.permute(2, 0, 3, 1, 4).unbind(0)
        dropout = self.dropout if self.training else 0.0
        mixed_BHTK = F.scaled_dot_product_attention(q_BHTK, k_BHTK, v_BHTK, dropout_p=dropout, is_causal=True)
        return self.output(mixed_BHTK.transpose(1, 2).reshape(batch, length, width))


class TransformerBlock(nn.Module):
    """GPT-2's block, with the norms before (Radford et al. 2019, 2.3): x_BTD -> x_BTD.

    With `recompute`, what lies between its input and its output is computed again in the backward pass.
    """

    def __init__(self, config: ModelConfig, seed: int, recompute: bool = False) -> None:
        super().__init__()
        self.recompute = recompute
        self.attention_norm = nn.LayerNorm(config.width, LAYER_NORM_EPSILON)
        self.attention = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.width, LAYER_NORM_EPSILON)
        self.mlp_input = nn.Linear(config.width, config.mlp_ratio * config.width)
        self.mlp_output = nn.Linear(config.mlp_ratio * config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self._draw_weights(config, _generator(seed))

    def _draw_weights(self, config: ModelConfig, generator: torch.Generator) -> None:
        # Those that write into the residual stream are scaled down, as 2 L of them add up (Radford et al. 2019, 2.3).
        residual_std = config.initializer_std / math.sqrt(2 * config.num_layers)
        for linear, std in (
            (self.attention.query_key_value, config.initializer_std),
            (self.attention.output, residual_std),
            (self.mlp_input, config.initializer_std),
            (self.mlp_output, residual_std),
        ):
            nn.init.normal_(linear.weight, std=std, generator=generator)
            nn.init.zeros_(linear.bias)

    def forward(self, x_BTD: Tensor) -> Tensor:
        if self.recompute and self.training:
            return cast(Tensor, checkpoint(self._forward, x_BTD, use_reentrant=False))
        return self._forward(x_BTD)

    def _forward(self, x_BTD: Tensor) -> Tensor:
        x_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD)))
        # GPT-2's GELU is the tanh approximation; the exact one would give other logits in the exported model.
        inner = F.gelu(self.mlp_input(self.mlp_norm(x_BTD)), approximate="tanh")
        return x_BTD + self.dropout(self.mlp_output(inner))


class FinalNorm(nn.LayerNorm):
    """The norm after the last transformer block: x_BTD -> x_BTD."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config.width, LAYER_NORM_EPSILON)


class Projection(nn.Module):
    """To the vocabulary, without a bias: x_BTD -> logits_BTV. Tied, its weight is the token embedding's."""

    def __init__(self, config: ModelConfig, seed: int, tied_to: TokenEmbedding | None = None) -> None:
        super().__init__()
        if tied_to is not None:
            self.weight = tied_to.weight
        else:
            self.weight = nn.Parameter(torch.empty(config.vocab_size, config.width))
            nn.init.normal_(self.weight, std=config.initializer_std, generator=_generator(seed))

    def forward(self, x_BTD: Tensor) -> Tensor:
        return F.linear(x_BTD, self.weight)


def block_seed(seed: int, index: int) -> int:
    """The seed of block `index` of a model: runs with seeds that follow each other share no block."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def num_blocks(config: ModelConfig) -> int:
    """Token and position embedding, transformer blocks, final norm, projection."""
    return config.num_layers + 4


def build_blocks(config: ModelConfig, seed: int, recompute: bool = False) -> Iterator[nn.Module]:
    """All blocks, one after the other, so that whoever takes them may store one away before the next is made.

    With GPT-2's initial weights: matrices normal with `initializer_std`, biases 0, norms 1.
    """
    seeds = [block_seed(seed, index) for index in range(num_blocks(config))]
    embedding = TokenEmbedding(config, seeds[0])
    yield embedding
    yield PositionEmbedding(config, seeds[1])
    for block in seeds[2:-2]:
        yield TransformerBlock(config, block, recompute)
    yield FinalNorm(config)
    yield Projection(config, seeds[-1], embedding if config.tied_embeddings else None)


class GPT(nn.Module):
    """The blocks one after the other: tokens_BT -> logits_BTV. `on_block` gets each as soon as it is made."""

    def __init__(
        self,
        config: ModelConfig,
        seed: int = 0,
        recompute: bool = False,
        on_block: Callable[[nn.Module], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        for block in build_blocks(config, seed, recompute):
            on_block(block)
            self.blocks.append(block)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        x = tokens_BT
        for block in self.blocks:
            x = block(x)
        return x


def next_token_loss(logits_BTV: Tensor, targets_BT: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy in nats, in fp32 whatever the logits' precision: the mean over tokens, their sum, or each (`none`).

    Positions whose target is `IGNORED` take no part.
    """
    logits = logits_BTV.float().flatten(0, 1)
    return F.cross_entropy(logits, targets_BT.flatten(), reduction=reduction, ignore_index=IGNORED)
