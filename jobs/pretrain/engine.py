"""What every training engine does, and DeepSpeed's settings, each said aloud: defaults changed between its releases.

DeepSpeed does ZeRO, the pipeline, accumulation and clipping. The job owns the learning rate and sets it at each step,
and the loss: a sum over tokens, divided so that DeepSpeed's averages make it the mean over the global batch's tokens.
Importing this imports DeepSpeed, which picks its accelerator then: `DS_ACCELERATOR` is to be set before.

Shape suffixes: M sequences of a micro batch, S tokens of a sequence.
"""

import logging
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from deepspeed.ops import __compatible_ops__
from deepspeed.utils import groups
from torch import Tensor, nn

from jobs.pretrain.batches import MicroBatch
from jobs.pretrain.model import next_token_loss
from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.parameters import parameter_counts

MAX_BUCKET_ELEMENTS = 50_000_000  # parameters in one reduction; DeepSpeed's 500 M would reserve 2 GB for a tiny model

INITIAL_LOSS_SCALE_POWER = 16  # fp16 starts at 2^16, halves where gradients overflow, doubles after a quiet window
LOSS_SCALE_WINDOW = 1000  # steps

MakeOptimizer = Callable[[list[dict[str, Any]]], torch.optim.Optimizer]


@dataclass(frozen=True)
class StepResult:
    """What an optimizer step came to; the same on every rank, but for the seconds."""

    loss: float  # mean over the tokens of the global batch, nats
    gradient_norm: float  # global, before clipping
    applied: bool  # False: fp16 gradients overflowed, the weights stand still and the loss scale is halved
    loss_scale: float | None  # fp16: what the loss was multiplied by
    forward_backward_s: float
    optimizer_s: float


class Engine(ABC):
    """One rank's part of the model, and DeepSpeed around it. Every method is called by all ranks together."""

    def __init__(self, wrapped: Any, training: TrainingConfig, batch: BatchLayout, tokens: int) -> None:
        self.wrapped = wrapped  # DeepSpeed's engine
        self.training, self.batch = training, batch
        self.before_optimizer_step: Callable[[], None] = lambda: None  # gradients are whole and averaged then
        self.loss = TokenLoss(batch, tokens)
        self._scale_growth = LateScaleGrowth(wrapped.optimizer) if training.precision == "fp16" else None

    @property
    @abstractmethod
    def data_rank(self) -> int:
        """Which share of each global batch this rank's part of the model sees."""

    @abstractmethod
    def parameters(self) -> dict[str, nn.Parameter]:
        """This rank's parameters by their names in `model.GPT`, a tied one once."""

    @abstractmethod
    def _train(self, batches: Iterator[MicroBatch]) -> tuple[float, float, float]:
        """Gradients and step: the mean loss, the gradient's norm, and the moment at which the gradients were there."""

    @abstractmethod
    def loss_sum(self, batches: Iterable[MicroBatch], num_batches: int) -> float:
        """The loss of `num_batches` micro batches on each data rank, added up over all tokens, without dropout."""

    def step(self, batches: Iterator[MicroBatch], learning_rate: float) -> StepResult:
        """One optimizer step from this data rank's micro batches of the global batch."""
        for group in self.wrapped.optimizer.param_groups:
            group["lr"] = learning_rate
        scale = self.loss_scale
        started = time.monotonic()
        loss, norm, summed = self._train(batches)
        if self._scale_growth is not None:
            self._scale_growth.after_step()
        return StepResult(
            loss=loss,
            gradient_norm=norm,
            applied=bool(self.wrapped.was_step_applied()),
            loss_scale=scale if self.training.precision == "fp16" else None,
            forward_backward_s=summed - started,
            optimizer_s=time.monotonic() - summed,
        )

    @property
    def loss_scale(self) -> float:
        """What fp16 multiplies the loss by, so that small gradients do not vanish; 1 in other precisions."""
        return float(self.wrapped.optimizer.loss_scale) if self.training.precision == "fp16" else 1.0

    def clip(self, norm: float) -> None:
        """Scale unsharded gradients down to `gradient_clipping`, as torch does.

        DeepSpeed 0.19 would do it without ZeRO by a norm in which a pipeline's tied weight counts once a stage.
        """
        limit = self.training.gradient_clipping
        if limit and norm > limit:
            for parameter in self.wrapped.module.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(limit / (norm + 1e-6))

    def destroy(self) -> None:
        """Let go of what DeepSpeed holds, so that another engine can be built in this process."""
        self.wrapped.destroy()


class LateScaleGrowth:
    """Lets fp16's loss scale grow when the step is over.

    DeepSpeed 0.19 lets it grow before it divides the gradients by it, so every `LOSS_SCALE_WINDOW` steps they were
    halved, and clipped as if they were.
    """

    def __init__(self, optimizer: Any) -> None:
        self._update = optimizer._update_scale
        self._is_due = False
        optimizer._update_scale = self._hear

    def _hear(self, has_overflow: bool = False) -> None:
        if has_overflow:
            self._update(True)  # nothing is divided then: the step is skipped
        else:
            self._is_due = True

    def after_step(self) -> None:
        if self._is_due:
            self._update(False)
        self._is_due = False


class TokenLoss:
    """A micro batch's loss, so that the mean over accumulation and data ranks is the mean over the batch's tokens."""

    def __init__(self, batch: BatchLayout, tokens: int) -> None:
        self.scale = batch.data_ranks * batch.accumulation_steps / tokens

    def __call__(self, logits_MSV: Tensor, targets_MS: Tensor) -> Tensor:
        return next_token_loss(logits_MSV, targets_MS, reduction="sum") * self.scale


def deepspeed_config(training: TrainingConfig, batch: BatchLayout, num_parameters: int) -> dict[str, Any]:
    """What DeepSpeed is told. The layout must be one that `seedbed.layout.check_layout` lets pass."""
    bucket = min(num_parameters, MAX_BUCKET_ELEMENTS)
    zero: dict[str, Any] = {
        "stage": training.zero_stage,
        "reduce_bucket_size": bucket,
        "allgather_bucket_size": bucket,
        "overlap_comm": False,  # None lets DeepSpeed choose by stage
        "contiguous_gradients": False,
        "round_robin_gradients": False,
        "load_from_fp32_weights": True,
        "elastic_checkpoint": False,
    }
    if training.optimizer_offload == "cpu":
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": torch.cuda.is_available()}
    if training.zero_stage == 3:
        # Weights that are gathered ahead of use, and small ones that stay whole: of the model's size at most.
        zero |= {
            "stage3_prefetch_bucket_size": bucket,
            "stage3_param_persistence_threshold": min(num_parameters, 100_000),
            "stage3_max_live_parameters": 1_000_000_000,
            "stage3_max_reuse_distance": 1_000_000_000,
            "sub_group_size": 1_000_000_000,
        }
    return {
        "train_micro_batch_size_per_gpu": batch.micro_batch_sequences,
        "gradient_accumulation_steps": batch.accumulation_steps,
        "train_batch_size": batch.global_batch_sequences + batch.padding_sequences,
        # The default went from 0 to 1.0. Without ZeRO the job clips: see `Engine.clip`.
        "gradient_clipping": training.gradient_clipping if training.zero_stage else 0.0,
        "bf16": {"enabled": training.precision == "bf16", "check_grad_overflow": True},  # its default changed
        "fp16": {
            "enabled": training.precision == "fp16",
            "loss_scale": 0,  # dynamic
            "initial_scale_power": INITIAL_LOSS_SCALE_POWER,
            "loss_scale_window": LOSS_SCALE_WINDOW,
            "hysteresis": 1,
            "min_loss_scale": 1,
        },
        "data_types": {"grad_accum_dtype": "fp32"},
        "communication_data_type": "fp32",
        "prescale_gradients": False,
        "gradient_predivide_factor": 1.0,
        "zero_optimization": zero,
        "zero_force_ds_cpu_optimizer": False,  # its own wants a compiler; torch's fused AdamW runs on CPU too
        "zero_allow_untested_optimizer": True,  # conformance takes SGD
        "checkpoint": {"tag_validation": "Ignore", "load_universal": False},
        "steps_per_print": sys.maxsize,
        "wall_clock_breakdown": False,
        "disable_python_gc": False,
    }


def adamw(training: TrainingConfig) -> MakeOptimizer:
    """The run's optimizer (Loshchilov and Hutter 2019), in one kernel."""

    def make(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        betas = (training.beta1, training.beta2)
        return torch.optim.AdamW(groups, lr=training.learning_rate, betas=betas, eps=training.epsilon, fused=True)

    return make


def start_deepspeed() -> None:
    """Let DeepSpeed use the process group that torch.distributed already has."""
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    # gloo does the work; the shared-memory operation would be compiled at the first start, on every machine.
    __compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend=dist.get_backend(), verbose=False)
    groups.mpu = None  # the grid of a pipeline that this process had before, which DeepSpeed would take for this one's


def initialize(model: nn.Module, training: TrainingConfig, batch: BatchLayout, make_optimizer: MakeOptimizer) -> Any:
    """DeepSpeed's engine around `model`."""
    num_parameters = sum(getattr(p, "ds_numel", p.numel()) for p in model.parameters())
    wrapped, *_ = deepspeed.initialize(
        model=model,
        model_parameters=parameter_groups(model.parameters(), training.weight_decay),
        optimizer=make_optimizer,
        config=deepspeed_config(training, batch, num_parameters),
        dist_init_required=False,
    )
    return wrapped


def shard_blocks(model: ModelConfig, training: TrainingConfig, batch: BatchLayout) -> Callable[[nn.Module], None]:
    """For ZeRO-3: what cuts a block over the ranks as soon as it is made, so that no rank ever holds all of them."""
    config = deepspeed_config(training, batch, parameter_counts(model).total)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[training.precision]

    def shard(block: nn.Module) -> None:
        deepspeed.zero.Init(module=block.to(dtype), config_dict_or_path=config)

    return shard


def parameter_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and norms do not (Brown et al. 2020, B, leave it open; nanoGPT and OLMo do it so)."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for parameter in parameters:
        shape = getattr(parameter, "ds_shape", parameter.shape)  # one that ZeRO-3 has cut has no shape of its own
        (matrices if len(shape) >= 2 else others).append(parameter)
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def total_over(group: Any, value: float, device: torch.device) -> float:
    """`value` added up over the ranks of a process group."""
    total = torch.tensor([value], dtype=torch.float64, device=device)
    dist.all_reduce(total, group=group)
    return float(total)
