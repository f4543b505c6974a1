"""How the model is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from seedbed.runfile.strict import Strict


class TrainingConfig(Strict):
    """One pretraining run. Batches are counted in tokens, steps are optimizer steps."""

    num_steps: int = Field(ge=1, description="optimizer steps")
    global_batch_tokens: int = Field(ge=8, description="tokens in an optimizer step, over all ranks")
    micro_batch_sequences: int = Field(ge=1, description="sequences that one rank takes through the model at once")
    zero_stage: Literal[0, 1, 2, 3] = Field(
        default=1, description="DeepSpeed ZeRO: 1 shards the optimizer over ranks, 2 gradients too, 3 weights too"
    )
    pipeline_stages: int = Field(default=1, ge=1, description="cuts the blocks over so many ranks; goes with ZeRO 0-1")
    optimizer_offload: Literal["none", "cpu"] = Field(
        default="none", description="where ZeRO keeps and steps the optimizer: cpu takes host memory, not the device's"
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        default="fp32", description="of weights and activations; fp16 scales its loss dynamically"
    )
    activation_checkpointing: bool = Field(default=False, description="recompute each block in the backward pass")
    learning_rate: float = Field(gt=0, description="peak, reached at the end of the warm-up")
    min_learning_rate: float = Field(default=0.0, ge=0, description="at the last step")
    warmup_steps: int = Field(default=0, ge=0, description="steps of linear warm-up")
    decay: Literal["cosine", "linear"] = Field(default="cosine", description="shape after the warm-up")
    weight_decay: float = Field(default=0.1, ge=0, description="AdamW, on matrices only")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW, first moment")
    beta2: float = Field(default=0.95, ge=0, lt=1, description="AdamW, second moment")
    epsilon: float = Field(default=1e-8, gt=0, description="AdamW")
    gradient_clipping: float = Field(default=1.0, ge=0, description="greatest global norm; 0 clips nothing")
    seed: int = Field(default=0, ge=0, description="of weights, dropout and sample order")
    validate_every_steps: int = Field(default=100, ge=1, description="steps between validations; also after the last")
    validation_tokens: int = Field(default=65536, ge=8, description="at most so many held-out tokens each time")
    checkpoint_every_steps: int = Field(default=100, ge=1, description="steps between checkpoints; also the last")
    keep_checkpoints: int = Field(default=2, ge=1, description="how many complete checkpoints stay")
    max_restarts: int = Field(default=3, ge=0, description="restarts of the group after a lost worker")
    hang_timeout_s: float = Field(
        default=1800.0, gt=0, description="seconds without progress of a rank after which the group starts anew"
    )

    @model_validator(mode="after")
    def _the_schedule_fits(self) -> Self:
        if self.warmup_steps >= self.num_steps:
            raise ValueError(
                f"warmup_steps {self.warmup_steps} leave nothing of num_steps {self.num_steps}: take warmup_steps of"
                f" {self.num_steps - 1} at most, or more num_steps"
            )
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(f"min_learning_rate {self.min_learning_rate} is above learning_rate {self.learning_rate}")
        return self
