"""The reference: one process, the whole batch, torch's own optimizer, and nothing of DeepSpeed."""

import torch
from torch import nn

from jobs.pretrain.conform import data
from jobs.pretrain.conform.case import NUM_STEPS, SGD_RATE, Case
from jobs.pretrain.conform.trace import Trace
from jobs.pretrain.model import GPT, next_token_loss

FP16_LOSS_SCALE = 2.0**16  # what a layout starts with
"""Without it most of a plain fp16 gradient is 0, and a yardstick that is all wrong lets everything pass."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def plain_trace(case: Case, precision: str, device: torch.device) -> Trace:
    """The steps of `case` in one process with weights and activations in `precision`.

    The optimizer always steps fp32 weights; below fp32 the model's are rounded from them after each step, and
    gradients of micro batches are added up in fp32: mixed precision as Micikevicius et al. 2018 have it.
    """
    training = case.training
    model = GPT(case.model, training.seed).to(device, DTYPES[precision])
    names = dict(model.named_parameters())
    masters = {name: nn.Parameter(parameter.detach().float().clone()) for name, parameter in names.items()}
    decay, rest = (
        {"params": [p for p in masters.values() if (p.dim() >= 2) == matrices], "weight_decay": weight_decay}
        for matrices, weight_decay in ((True, training.weight_decay), (False, 0.0))
    )
    betas = (training.beta1, training.beta2)
    if case.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD([decay, rest], lr=SGD_RATE)
    else:
        optimizer = torch.optim.AdamW([decay, rest], lr=training.learning_rate, betas=betas, eps=training.epsilon)
    trace = Trace()
    for step in range(NUM_STEPS):
        loss = _backward(case, model, masters, step, precision, device)
        gradients = [p.grad for p in masters.values() if p.grad is not None]
        trace.losses.append(loss)
        trace.norms.append(float(torch.nn.utils.get_total_norm(gradients)))
        trace.gradients.append({name: p.grad.cpu().clone() for name, p in masters.items() if p.grad is not None})
        if training.gradient_clipping:
            torch.nn.utils.clip_grad_norm_(masters.values(), training.gradient_clipping)
        for group in optimizer.param_groups:
            group["lr"] = case.learning_rate(step)
        optimizer.step()
        with torch.no_grad():
            for name, parameter in names.items():
                parameter.copy_(masters[name])
        trace.weights.append({name: p.detach().cpu().clone() for name, p in masters.items()})
    return trace


def _backward(
    case: Case, model: GPT, masters: dict[str, nn.Parameter], step: int, precision: str, device: torch.device
) -> float:
    """The gradient of the mean loss into the fp32 weights, in micro batches of the case's size; the loss."""
    batch = data.rows(case, step).to(device)
    tokens = batch.shape[0] * case.model.sequence_length
    for master in masters.values():
        master.grad = torch.zeros_like(master)
    scale = FP16_LOSS_SCALE if precision == "fp16" else 1.0
    total = 0.0
    for part in batch.split(case.training.micro_batch_sequences):
        loss = next_token_loss(model(part[:, :-1]), part[:, 1:], reduction="sum") / tokens
        (loss * scale).backward()
        total += float(loss.detach())
        for name, parameter in model.named_parameters():
            gradient = masters[name].grad
            assert gradient is not None and parameter.grad is not None
            gradient += parameter.grad.float() / scale
            parameter.grad = None
    return total
