"""Parameters, counted exactly; a test holds them to `jobs.pretrain.model` for every shipped model file."""

from dataclasses import dataclass

from seedbed.runfile.model import ModelConfig


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

    @property
    def without_embeddings(self) -> int:
        """What Kaplan et al. 2020 count as N: no token or position embedding, no output projection (section 1.3)."""
        return self.attention + self.mlp + self.norms


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
