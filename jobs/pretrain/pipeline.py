"""The blocks cut into the stages of a pipeline, one stage to a rank; DeepSpeed's 1F1B schedule runs them.

Ranks are numbered stage by stage: rank = stage x data ranks + data rank. So the ranks that average gradients stand side
by side, on one node where it has room, and only activations cross from node to node.
"""

import gc
import time
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from deepspeed.pipe import LayerSpec, PipelineModule, TiedLayerSpec
from deepspeed.runtime.pipe import p2p, schedule
from deepspeed.runtime.pipe.topology import PipeDataParallelTopology
from torch import nn
from torch.distributed import distributed_c10d

from jobs.pretrain.batches import MicroBatch
from jobs.pretrain.engine import Engine, TokenLoss, total_over
from jobs.pretrain.model import (
    FinalNorm,
    PositionEmbedding,
    Projection,
    TokenEmbedding,
    TransformerBlock,
    block_seed,
    num_blocks,
)
from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

_TIED = "token"
_TIED_NAME = f"tied_modules.{_TIED}.weight"


def pipeline_module(
    model: ModelConfig, training: TrainingConfig, batch: BatchLayout, loss: TokenLoss
) -> tuple[PipelineModule, list[Any]]:
    """This rank's stage, and the process groups that were made for it.

    Transformer blocks are shared out evenly; embeddings go first, norm and projection last.
    """
    before = set(distributed_c10d._world.pg_map)
    module = PipelineModule(
        layers=_specs(model, training),
        topology=PipeDataParallelTopology(num_pp=training.pipeline_stages, num_dp=batch.data_ranks),
        loss_fn=loss,
        partition_method=f"type:{TransformerBlock.__name__}",
    )
    return module, [group for group in distributed_c10d._world.pg_map if group not in before]


def _specs(model: ModelConfig, training: TrainingConfig) -> list[LayerSpec]:
    seeds = [block_seed(training.seed, index) for index in range(num_blocks(model))]
    if model.tied_embeddings:
        first = TiedLayerSpec(_TIED, TokenEmbedding, model, seeds[0], tied_weight_attr="weight")
        last = TiedLayerSpec(
            _TIED, TokenEmbedding, model, seeds[0], forward_fn=TokenEmbedding.project, tied_weight_attr="weight"
        )
    else:
        first, last = LayerSpec(TokenEmbedding, model, seeds[0]), LayerSpec(Projection, model, seeds[-1])
    layers = [LayerSpec(TransformerBlock, model, seed, training.activation_checkpointing) for seed in seeds[2:-2]]
    return [first, LayerSpec(PositionEmbedding, model, seeds[1]), *layers, LayerSpec(FinalNorm, model), last]


class PipelineEngine(Engine):
    """DeepSpeed's pipeline engine with ZeRO 0 or 1, one stage of `pipeline_module` on each rank."""

    def __init__(
        self, wrapped: Any, training: TrainingConfig, batch: BatchLayout, tokens: int, process_groups: list[Any]
    ) -> None:
        super().__init__(wrapped, training, batch, tokens)
        self._process_groups = process_groups
        self._take_step = wrapped._INSTRUCTION_MAP[schedule.OptimizerStep]
        wrapped._INSTRUCTION_MAP = wrapped._INSTRUCTION_MAP | {
            schedule.ReduceTiedGrads: self._sum_tied_gradients,
            schedule.OptimizerStep: self._step,
        }
        self._norm, self._summed = 0.0, 0.0

    @property
    def data_rank(self) -> int:
        return int(self.wrapped.grid.get_data_parallel_id())

    def parameters(self) -> dict[str, nn.Parameter]:
        return {
            "blocks.0.weight" if name == _TIED_NAME else f"blocks.{name}": parameter
            for name, parameter in self.wrapped.module.named_parameters()
        }

    def _train(self, batches: Iterator[MicroBatch]) -> tuple[float, float, float]:
        loss = float(self.wrapped.train_batch(batches))  # averaged over micro batches and data ranks
        return loss, self._norm, self._summed

    def _sum_tied_gradients(self, wrapped: Any) -> None:
        """Takes the place of DeepSpeed's instruction of that name.

        In 0.19 it sums `.grad`, which is empty where ZeRO accumulates in `.grad_accum` (fp16, and bf16 offloaded): the
        embedding and the projection then went apart, with gradients 21% off and no error.
        """
        for weight, group in wrapped.module.get_tied_weights_and_groups():
            gradient = weight._hp_grad if wrapped.using_bf16_optimizer else weight.grad
            if gradient is None:
                gradient = weight.grad_accum
            dist.all_reduce(gradient, group=group)

    def _step(self, wrapped: Any, **arguments: Any) -> None:
        """Takes the place of DeepSpeed's last instruction: all gradients are there, over stages and data ranks."""
        self._summed = time.monotonic()
        self.before_optimizer_step()
        if self.training.zero_stage == 0:
            self._norm = self._unsharded_norm()
            self.clip(self._norm)
            self._take_step(wrapped, **arguments)
        else:
            self._take_step(wrapped, **arguments)
            self._norm = float(wrapped.get_global_grad_norm())

    def _unsharded_norm(self) -> float:
        """The norm over all stages, a tied gradient counted once."""
        mine = [p.grad for p in self.wrapped.module.parameters() if p.grad is not None and not p.ds_pipe_replicated]
        squares = float(torch.nn.utils.get_total_norm(mine)) ** 2
        group = self.wrapped.grid.get_pipe_parallel_group()
        return float(total_over(group, squares, self.wrapped.device) ** 0.5)

    def loss_sum(self, batches: Iterable[MicroBatch], num_batches: int) -> float:
        mean = float(self.wrapped.eval_batch(iter(batches), num_micro_batches=num_batches))
        self.wrapped.module.train()
        return mean * num_batches * self.batch.data_ranks / self.loss.scale

    def destroy(self) -> None:
        super().destroy()
        for group in self._process_groups:  # some threads and connections each, which DeepSpeed leaves
            dist.destroy_process_group(group)
        # They end with the last reference. The last stage's loss keeps its graph, whose hooks keep the engine: a circle
        # through C++, which the collector does not see.
        vars(self.wrapped).clear()
        self.wrapped, p2p._grid = None, None
        gc.collect()
