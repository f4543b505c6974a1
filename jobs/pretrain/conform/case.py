"""What is compared: a model, a layout and an optimizer, over a few steps."""

from dataclasses import dataclass
from typing import Literal

from seedbed.layout import BatchLayout, batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

NUM_STEPS = 3
SGD_RATE = 0.05
"""Large enough that a wrong gradient moves weights visibly, small enough that three steps stay stable."""


@dataclass(frozen=True)
class Case:
    """One comparison. SGD shows errors of scale, which AdamW divides out; AdamW shows the run's own update."""

    model: ModelConfig
    training: TrainingConfig  # num_steps, learning rate and clipping are the case's own
    optimizer: Literal["sgd", "adamw"]

    @property
    def name(self) -> str:
        training = self.training
        words = [
            f"ZeRO-{training.zero_stage}",
            f"{training.pipeline_stages} stages" if training.pipeline_stages > 1 else "",
            training.precision,
            f"micro batch {training.micro_batch_sequences}",
            "recomputed activations" if training.activation_checkpointing else "",
            "offloaded optimizer" if training.optimizer_offload == "cpu" else "",
            "" if self.model.tied_embeddings else "untied embeddings",
            self.optimizer,
        ]
        return ", ".join(word for word in words if word)

    def learning_rate(self, step: int) -> float:
        """Another one in each step, so that a rate that is set in vain is noticed."""
        first = SGD_RATE if self.optimizer == "sgd" else self.training.learning_rate
        return first / (step + 1)

    def batch(self, num_ranks: int) -> BatchLayout:
        return batch_layout(self.training, self.model.sequence_length, num_ranks)


def cases_of(model: ModelConfig, training: TrainingConfig) -> list[Case]:
    """The two cases of a layout: SGD without clipping, and AdamW with clipping that takes hold."""
    sgd = training.model_copy(update={"num_steps": NUM_STEPS, "warmup_steps": 0, "gradient_clipping": 0.0})
    adamw = training.model_copy(update={"num_steps": NUM_STEPS, "warmup_steps": 0, "gradient_clipping": 0.1})
    return [Case(model, sgd, "sgd"), Case(model, adamw, "adamw")]
