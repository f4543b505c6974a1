"""DeepSpeed's engine, with every setting said aloud: defaults changed between its releases.

DeepSpeed does ZeRO, accumulation and clipping. The job owns the learning rate and sets it at each step.
Importing this imports DeepSpeed, which picks its accelerator then: `DS_ACCELERATOR` is to be set before.
"""

import logging
import sys
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from deepspeed.ops import __compatible_ops__
from deepspeed.utils import safe_get_full_fp32_param
from torch import Tensor, nn

from jobs.pretrain.task import BatchLayout
from seedbed.errors import RunFileError
from seedbed.runfile.training import TrainingConfig

MAX_BUCKET_ELEMENTS = 50_000_000  # parameters in one reduction; DeepSpeed's 500 M would reserve 2 GB for a tiny model


def deepspeed_config(training: TrainingConfig, layout: BatchLayout, num_parameters: int) -> dict[str, Any]:
    """What DeepSpeed is told. Raises RunFileError for what it cannot do."""
    is_bf16 = training.precision == "bf16"
    if is_bf16 and training.zero_stage == 0:
        # DeepSpeed 0.19 refuses fp32 accumulation there (`unsupported mix`) and would add up gradients in bf16.
        raise RunFileError("training.zero_stage: 0 with precision bf16 loses gradients in the sum; take zero_stage 1")
    bucket = min(num_parameters, MAX_BUCKET_ELEMENTS)
    return {
        "train_micro_batch_size_per_gpu": layout.micro_batch_sequences,
        "gradient_accumulation_steps": layout.accumulation_steps,
        "train_batch_size": layout.global_batch_sequences,
        "gradient_clipping": training.gradient_clipping,  # the default went from 0 to 1.0
        "optimizer": {
            "type": "AdamW",
            "params": {
                "torch_adam": True,  # DeepSpeed's own wants a compiler on CPU
                "fused": True,
                "lr": training.learning_rate,
                "betas": [training.beta1, training.beta2],
                "eps": training.epsilon,
            },
        },
        "bf16": {"enabled": is_bf16, "check_grad_overflow": True},  # the default of the check changed
        "fp16": {"enabled": False},
        "data_types": {"grad_accum_dtype": "fp32"},
        "communication_data_type": "fp32",
        "prescale_gradients": False,
        "gradient_predivide_factor": 1.0,
        "zero_optimization": {
            "stage": training.zero_stage,
            "reduce_bucket_size": bucket,
            "allgather_bucket_size": bucket,
            "overlap_comm": False,  # None lets DeepSpeed choose by stage
            "contiguous_gradients": False,
            "round_robin_gradients": False,
            "load_from_fp32_weights": True,
            "elastic_checkpoint": False,
        },
        "zero_allow_untested_optimizer": False,
        "checkpoint": {"tag_validation": "Ignore", "load_universal": False},  # each rank saves into a folder of its own
        "steps_per_print": sys.maxsize,
        "wall_clock_breakdown": False,
        "disable_python_gc": False,
    }


def build_engine(model: nn.Module, training: TrainingConfig, layout: BatchLayout) -> Any:
    """DeepSpeed's engine around `model`, in the process group that torch.distributed already has."""
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    # gloo does the work; the shared-memory operation would be compiled at the first start, on every machine.
    __compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend=dist.get_backend(), verbose=False)
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    engine, *_ = deepspeed.initialize(
        model=model,
        model_parameters=_parameter_groups(model, training.weight_decay),
        config=deepspeed_config(training, layout, num_parameters),
        dist_init_required=False,
    )
    return engine


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and norms do not (Brown et al. 2020, B, leave it open; nanoGPT and OLMo do it so)."""
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def set_learning_rate(engine: Any, rate: float) -> None:
    """The rate of the next optimizer step, for every parameter."""
    for group in engine.optimizer.param_groups:
        group["lr"] = rate


def optimizer_step(engine: Any) -> float:
    """Take the step at the end of a global batch; the global norm of the gradient before clipping comes back."""
    if engine.zero_optimization_stage() == 0:
        # Without ZeRO, DeepSpeed clips but does not tell the norm; the gradients are averaged over ranks by now.
        gradients = [p.grad for p in engine.module.parameters() if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        engine.step()
        return norm
    engine.step()
    return float(engine.get_global_grad_norm())


def full_fp32_weights(engine: Any) -> dict[str, Tensor]:
    """On rank 0 every weight by name in fp32, whole, a tied one once; elsewhere nothing. All ranks call it together.

    In bf16 these are the master weights, which ZeRO cuts into one piece per rank.
    """
    is_whole = engine.zero_optimization_stage() == 0 or not engine.bfloat16_enabled()
    weights = {}
    for name, parameter in engine.module.named_parameters():
        full = parameter if is_whole else safe_get_full_fp32_param(parameter)  # one at a time: it is a gather
        if dist.get_rank() == 0:
            weights[name] = full.detach().cpu().clone()
    return weights
