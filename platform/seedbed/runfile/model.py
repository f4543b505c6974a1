"""What the model is: the shape of a transformer, as data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict


class ModelConfig(Strict):
    """A decoder-only transformer (GPT-2's block: pre-norm, learned positions, GELU)."""

    family: Literal["gpt2"] = Field(default="gpt2", description="architecture")
    num_layers: int = Field(ge=1, description="transformer blocks")
    width: int = Field(ge=8, description="size of the residual stream")
    num_heads: int = Field(ge=1, description="attention heads; divides the width")
    sequence_length: int = Field(ge=8, description="tokens that a sample holds")
    vocab_size: int = Field(ge=257, description="rows of the embedding; at least the tokenizer's vocabulary")
    mlp_ratio: int = Field(default=4, ge=1, description="inner width of the MLP over the width")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of activations zeroed in training")
    tied_embeddings: bool = Field(default=True, description="the output projection is the token embedding")
    initializer_std: float = Field(default=0.02, gt=0, description="standard deviation of initial weights (GPT-2)")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.num_heads:
            raise ValueError(f"width {self.width} is not a multiple of num_heads {self.num_heads}")
        return self
