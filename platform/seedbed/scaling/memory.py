"""Memory of a training process by what holds it: a model of the peak, not a measurement.

Symbols in comments: S sequence length, D width, L layers.
"""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.parameters import parameter_counts

FP32_BYTES = 4
BF16_BYTES = 2


@dataclass(frozen=True)
class RankMemory:
    """Bytes of one rank by what holds them, at the fullest moment."""

    weights: int
    gradients: int
    optimizer: int  # AdamW's two moments, and in bf16 the fp32 weights
    activations: int  # kept for the backward pass of one micro batch
    logits: int  # of one micro batch and their gradient

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def memory_per_rank(model: ModelConfig, training: TrainingConfig, num_ranks: int) -> RankMemory:
    """Bytes on each of `num_ranks` data-parallel ranks.

    With P parameters and n ranks, weights + gradients + optimizer are (Rajbhandari et al. 2020, 3.1, for Adam):
        fp32 ZeRO-0  4 P + 4 P + 8 P              bf16 ZeRO-0  2 P + 2 P + 12 P
        fp32 ZeRO-1  4 P + 4 P + 12 P / n         bf16 ZeRO-1  2 P + 6 P + 12 P / n
    DeepSpeed's ZeRO keeps an fp32 copy of a rank's share also in fp32; with bf16 and fp32 accumulation, the gradient
    stands there in both precisions, and not cut.
    """
    parameters = parameter_counts(model).total
    is_bf16, is_sharded = training.precision == "bf16", training.zero_stage == 1
    element = BF16_BYTES if is_bf16 else FP32_BYTES
    keeps_fp32_weights = is_bf16 or is_sharded
    moments_and_weights = (2 + keeps_fp32_weights) * FP32_BYTES
    tokens = training.micro_batch_sequences * model.sequence_length
    return RankMemory(
        weights=parameters * element,
        gradients=parameters * (element + (FP32_BYTES if is_bf16 and is_sharded else 0)),
        optimizer=moments_and_weights * (-(-parameters // num_ranks) if is_sharded else parameters),
        activations=tokens * _activation_bytes_per_token(model, training, element),
        logits=tokens * model.vocab_size * _bytes_per_logit(element),
    )


def _activation_bytes_per_token(model: ModelConfig, training: TrainingConfig, element: int) -> int:
    """What the blocks of `jobs.pretrain.model` keep of one token for the backward pass, with fused attention.

    For each layer 8 + 2 r times the width in elements, at MLP ratio r (inputs of two norms and of three matrices,
    query, key, value; GELU's input and result), and two masks of a byte with dropout: 34 s b h bytes in 16 bits at
    r = 4, Korthikanti et al. 2022, equation 1, without the attention matrix, which a fused attention does not keep.
    """
    per_layer = (8 + 2 * model.mlp_ratio) * model.width * element + (2 * model.width if model.dropout else 0)
    head = 2 * model.width * element  # the inputs of the last norm and of the projection
    if training.activation_checkpointing:
        # Each block keeps its input, and one block at a time all of its own.
        return model.num_layers * model.width * element + per_layer + head
    return model.num_layers * per_layer + head


def _bytes_per_logit(element: int) -> int:
    """A logit, in fp32 its log-softmax and the gradient of that, and in bf16 the fp32 logit before: often the peak."""
    return element + 2 * FP32_BYTES + (FP32_BYTES if element != FP32_BYTES else 0)
