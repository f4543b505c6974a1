"""The training state as pieces of parameters that do not depend on the layout: what a checkpoint holds.

Every layout keeps the same three fp32 numbers for each element of each parameter: the master weight and AdamW's two
moments. What differs is which rank holds which elements. A piece is a run of elements of one flattened parameter, with
views of those three; so a rank saves the pieces that it holds, and takes up, whatever the layout was that saved them,
the elements that it needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from deepspeed.utils import safe_get_full_fp32_param
from torch import Tensor, nn

from jobs.pretrain.engine import Engine

WEIGHT = "weight"
MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's, under torch's names
KINDS = (WEIGHT, *MOMENTS)


@dataclass(frozen=True)
class Piece:
    """Elements [start, start + numel) of a flattened parameter that this rank holds."""

    name: str  # as in `model.GPT`
    start: int
    values: dict[str, Tensor]  # kind -> fp32 [numel]: views, so that writing to them changes the state
    share: tuple[int, int] | None = (0, 1)  # which of how many equal parts this rank saves, where others hold the same

    @property
    def numel(self) -> int:
        return self.values[WEIGHT].numel()

    def to_save(self) -> "Piece | None":
        """The part that this rank saves; none where another saves all of it."""
        if self.share is None:
            return None
        part, parts = self.share
        first, end = self.numel * part // parts, self.numel * (part + 1) // parts
        return Piece(self.name, self.start + first, {kind: value[first:end] for kind, value in self.values.items()})


def pieces(engine: Engine) -> list[Piece]:
    """What this rank holds. AdamW's moments are made, as zeros, where no step has been taken yet."""
    optimizer = engine.wrapped.optimizer
    if engine.training.zero_stage == 3:
        return list(_zero3(engine, optimizer))
    if engine.training.zero_stage == 0:
        return list(_replicated(engine, optimizer))
    return list(_zero12(engine, optimizer))


def adam_steps(engine: Engine) -> int:
    """The steps that AdamW has taken: its bias correction depends on them."""
    states = [_adam_state(engine, flat) for flat in _flat_parameters(engine)]
    return int(states[0]["step"])


def set_adam_steps(engine: Engine, steps: int) -> None:
    for flat in _flat_parameters(engine):
        _adam_state(engine, flat)["step"].fill_(steps)


@torch.no_grad()
def refresh_model(engine: Engine) -> None:
    """Make the model's weights, in its precision and on every rank, those of the pieces. All ranks call it together."""
    optimizer = engine.wrapped.optimizer
    if engine.training.zero_stage == 3:
        for group in range(len(optimizer.fp16_groups)):
            optimizer._reassign_or_swap_out_partitioned_parameters(group)
        if optimizer.persistent_parameters:
            optimizer.persistent_parameters[0].partition(optimizer.persistent_parameters)
            optimizer.persistent_parameters[0].all_gather(optimizer.persistent_parameters)
    elif engine.training.zero_stage > 0:
        optimizer.update_lp_params()


def _zero3(engine: Engine, optimizer: Any) -> Iterator[Piece]:
    for flat in _flat_parameters(engine):
        _adam_state(engine, flat)
    for name, parameter in engine.parameters().items():
        length = _of_zero(parameter).ds_tensor.ds_numel  # of each rank's part; the last ones are padded
        start = length * optimizer._get_param_partition_rank(parameter)
        numel = min(length, _of_zero(parameter).ds_numel - start)
        if numel > 0:
            keys = {WEIGHT: None} | {moment: moment for moment in MOMENTS}
            yield Piece(
                name,
                start,
                {
                    kind: optimizer._get_fp32_opt_state_partition(parameter, False, key)[0][:numel]
                    for kind, key in keys.items()
                },
            )


def _zero12(engine: Engine, optimizer: Any) -> Iterator[Piece]:
    groups = optimizer.optimizer.param_groups
    for name, parameter in engine.parameters().items():
        held = _of_zero(parameter)._hp_mapping
        if held is None:
            continue  # another rank's
        [flat] = groups[held.param_group_index]["params"]
        address = held.get_hp_fragment_address()
        state = {WEIGHT: flat.data} | {kind: _adam_state(engine, flat)[kind] for kind in MOMENTS}
        values = {kind: value.narrow(0, address.start, address.numel) for kind, value in state.items()}
        yield Piece(name, held.lp_fragment_address.start, values, None if _is_copy(parameter) else (0, 1))


def _replicated(engine: Engine, optimizer: Any) -> Iterator[Piece]:
    for name, parameter in engine.parameters().items():
        state = {WEIGHT: parameter.data} | {kind: _adam_state(engine, parameter)[kind] for kind in MOMENTS}
        values = {kind: value.view(-1) for kind, value in state.items()}
        share = None if _is_copy(parameter) else (engine.data_rank, engine.batch.data_ranks)
        yield Piece(name, 0, values, share)


def _of_zero(parameter: nn.Parameter) -> Any:
    """A parameter with what ZeRO has hung onto it."""
    return parameter


def _is_copy(parameter: nn.Parameter) -> bool:
    """Whether an earlier stage of the pipeline holds this tied weight too, and saves it."""
    return bool(getattr(parameter, "ds_pipe_replicated", False))


def _flat_parameters(engine: Engine) -> list[Tensor]:
    """What the optimizer steps: this rank's parts, flattened together, or the parameters themselves."""
    optimizer = engine.wrapped.optimizer
    if engine.training.zero_stage == 3:
        return list(optimizer.fp32_partitioned_groups_flat)
    basic = optimizer if engine.training.zero_stage == 0 else optimizer.optimizer
    return [parameter for group in basic.param_groups for parameter in group["params"]]


def _adam_state(engine: Engine, parameter: Tensor) -> dict[str, Tensor]:
    """AdamW's state of one of its parameters; as before the first step where there is none."""
    optimizer = engine.wrapped.optimizer
    basic = optimizer if engine.training.zero_stage == 0 else optimizer.optimizer
    state: dict[str, Tensor] = basic.state[parameter]
    if not state:
        state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
        state |= {moment: torch.zeros_like(parameter, requires_grad=False) for moment in MOMENTS}
    return state


def master_weights(engine: Engine) -> dict[str, Tensor]:
    """The fp32 weights, whole, of the parameters that this rank's part of the model has. A collective call each."""
    weights = {}
    for name, parameter in engine.parameters().items():
        if engine.training.zero_stage == 0:
            weights[name] = parameter.detach().cpu().clone()
        else:
            weights[name] = safe_get_full_fp32_param(parameter).detach().cpu().clone()
    return weights
