"""The transformer as a list of blocks, each from one tensor to one tensor.

    tokens_BT -> Embedding -> x_BTD -> TransformerBlock x L -> x_BTD -> Head -> logits_BTV

So the same blocks run one after the other here, or cut into the stages of a pipeline.
Shape suffixes: B sequences, T tokens of a sequence, D width, H heads, K width of a head, V vocabulary.
"""

import math
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from seedbed.runfile.model import ModelConfig

LAYER_NORM_EPSILON = 1e-5  # GPT-2's `layer_norm_epsilon`


class Embedding(nn.Module):
    """Token and learned position embeddings, added: tokens_BT -> x_BTD."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.token = nn.Embedding(config.vocab_size, config.width)
        self.position = nn.Embedding(config.sequence_length, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        position_TD = self.position.weight[: tokens_BT.shape[1]]
        return self.dropout(self.token(tokens_BT) + position_TD)


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
    """GPT-2's block, with the norms before (Radford et al. 2019, 2.3): x_BTD -> x_BTD."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, LAYER_NORM_EPSILON)
        self.attention = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.width, LAYER_NORM_EPSILON)
        self.mlp_input = nn.Linear(config.width, config.mlp_ratio * config.width)
        self.mlp_output = nn.Linear(config.mlp_ratio * config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BTD: Tensor) -> Tensor:
        x_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD)))
        # GPT-2's GELU is the tanh approximation; the exact one would give other logits in the exported model.
        inner = F.gelu(self.mlp_input(self.mlp_norm(x_BTD)), approximate="tanh")
        return x_BTD + self.dropout(self.mlp_output(inner))


class Head(nn.Module):
    """The last norm and the projection to the vocabulary, without a bias: x_BTD -> logits_BTV."""

    def __init__(self, config: ModelConfig, tied_to: nn.Embedding | None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width, LAYER_NORM_EPSILON)
        self.projection = nn.Linear(config.width, config.vocab_size, bias=False)
        if tied_to is not None:
            self.projection.weight = tied_to.weight

    def forward(self, x_BTD: Tensor) -> Tensor:
        return self.projection(self.norm(x_BTD))


def build_blocks(config: ModelConfig) -> list[nn.Module]:
    """Embedding, transformer blocks, head, with GPT-2's initial weights from torch's random state.

    Matrices are normal with `initializer_std`; those that write into the residual stream are scaled by 1/sqrt(2 L), as
    2 L of them add up (Radford et al. 2019, 2.3). Biases are 0, norms 1.
    """
    embedding = Embedding(config)
    layers = [TransformerBlock(config) for _ in range(config.num_layers)]
    blocks = [embedding, *layers, Head(config, embedding.token if config.tied_embeddings else None)]
    for block in blocks:
        for module in block.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=config.initializer_std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
    residual_std = config.initializer_std / math.sqrt(2 * config.num_layers)
    for layer in layers:
        nn.init.normal_(layer.attention.output.weight, std=residual_std)
        nn.init.normal_(layer.mlp_output.weight, std=residual_std)
    return blocks


class GPT(nn.Module):
    """The blocks one after the other: tokens_BT -> logits_BTV.

    With `activation_checkpointing`, what is inside a transformer block is computed again in the backward pass.
    """

    def __init__(self, config: ModelConfig, activation_checkpointing: bool = False) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(build_blocks(config))
        self.activation_checkpointing = activation_checkpointing

    def forward(self, tokens_BT: Tensor) -> Tensor:
        x = tokens_BT
        for block in self.blocks:
            if self.activation_checkpointing and self.training and isinstance(block, TransformerBlock):
                x = cast(Tensor, checkpoint(block, x, use_reentrant=False))
            else:
                x = block(x)
        return x


def next_token_loss(logits_BTV: Tensor, targets_BT: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy in nats, in fp32 whatever the logits' precision: the mean over tokens, or their sum."""
    return F.cross_entropy(logits_BTV.float().flatten(0, 1), targets_BT.flatten(), reduction=reduction)
