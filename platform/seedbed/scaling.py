"""What a model costs before it runs: parameters, FLOPs and memory, counted from its configuration.

The counts are exact for `jobs.pretrain.model` (a test holds them to torch's); the memory is a model of it.
Symbols in comments: V vocabulary, S sequence length, D width, L layers.
"""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

BACKWARD_FORWARDS = 2  # a backward pass multiplies twice as much as a forward one: Kaplan et al. 2020, 2.1
FLOPS_PER_MULTIPLY_ADD = 2
FP32_BYTES = 4
BF16_BYTES = 2


@dataclass(frozen=True)
class ParameterCounts:
    """Parameters by component; a tied projection counts with the token embedding, once."""

    token_embedding: int
    position_embedding: int
    attention: int  # matrices and biases, all layers
    mlp: int  # matrices and biases, all layers
    norms: int
    output_projection: int  # 0 when tied

    @property
    def total(self) -> int:
        return sum(vars(self).values())


def parameter_counts(model: ModelConfig) -> ParameterCounts:
    """Exact numbers for GPT-2's block, with biases."""
    width, inner = model.width, model.mlp_ratio * model.width
    return ParameterCounts(
        token_embedding=model.vocab_size * width,
        position_embedding=model.sequence_length * width,
        attention=model.num_layers * ((width + 1) * 3 * width + (width + 1) * width),
        mlp=model.num_layers * ((width + 1) * inner + (inner + 1) * width),
        norms=(2 * model.num_layers + 1) * 2 * width,
        output_projection=0 if model.tied_embeddings else model.vocab_size * width,
    )


def matmul_parameters(model: ModelConfig) -> int:
    """Weights that a token is multiplied with: matrices and the output projection, tied or not; no lookup, no bias."""
    per_layer = (4 + 2 * model.mlp_ratio) * model.width**2
    return model.num_layers * per_layer + model.vocab_size * model.width


def flops_per_token(model: ModelConfig, activation_checkpointing: bool = False) -> int:
    """FLOPs of forward and backward for one token of a full sequence: 6 N_matmul + 6 L D S.

    The attention term is 12 L D S (scores and mixing, 2 D S multiply-adds forward), counted half, as a causal token
    sees half of the sequence on average: Kaplan et al. 2020, table 1; PaLM, appendix B. Checkpointing adds the forward
    of the transformer blocks once more; embedding and head are not computed again.
    """
    attention = model.num_layers * model.width * model.sequence_length  # multiply-adds: 2 L D S, half of them
    forward = FLOPS_PER_MULTIPLY_ADD * (matmul_parameters(model) + attention)
    again = 0
    if activation_checkpointing:
        again = forward - FLOPS_PER_MULTIPLY_ADD * model.vocab_size * model.width
    return forward * (1 + BACKWARD_FORWARDS) + again


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
