"""FLOPs of a training step; a test holds them to torch's flop counter for every shipped model file."""

from seedbed.runfile.model import ModelConfig
from seedbed.scaling.parameters import matmul_parameters

BACKWARD_FORWARDS = 2  # a backward pass multiplies twice as much as a forward one: Kaplan et al. 2020, 2.1
FLOPS_PER_MULTIPLY_ADD = 2


def model_flops_per_token(model: ModelConfig) -> int:
    """FLOPs of forward and backward for one token of a full sequence: 6 N_matmul + 6 L D S. MFU is measured with these.

    The attention term is 12 L D S (scores and mixing, 2 D S multiply-adds forward), counted half, as a causal token
    sees half of the sequence on average: Kaplan et al. 2020, table 1; PaLM, appendix B.
    """
    return _forward(model) * (1 + BACKWARD_FORWARDS)


def flops_per_token(model: ModelConfig, activation_checkpointing: bool = False) -> int:
    """The model's FLOPs for a token and, with checkpointing, what is computed again.

    That is the forward of the transformer blocks up to the input of each block's last matrix: torch stops there, as the
    backward pass needs no more (`torch.utils.checkpoint.set_checkpoint_early_stop`). Embedding and head are not
    computed again.
    """
    again = 0
    if activation_checkpointing:
        last_matrices = model.num_layers * model.mlp_ratio * model.width**2
        not_again = model.vocab_size * model.width + last_matrices
        again = _forward(model) - FLOPS_PER_MULTIPLY_ADD * not_again
    return model_flops_per_token(model) + again


def _forward(model: ModelConfig) -> int:
    attention = model.num_layers * model.width * model.sequence_length  # multiply-adds: 2 L D S, half of them
    return FLOPS_PER_MULTIPLY_ADD * (matmul_parameters(model) + attention)
