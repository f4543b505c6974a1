"""The engine that a run's layout asks for."""

from jobs.pretrain.data_parallel import DataParallelEngine
from jobs.pretrain.engine import Engine, MakeOptimizer, TokenLoss, adamw, initialize, shard_blocks, start_deepspeed
from jobs.pretrain.model import GPT
from jobs.pretrain.pipeline import PipelineEngine, pipeline_module
from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


def build_engine(
    model: ModelConfig, training: TrainingConfig, batch: BatchLayout, make_optimizer: MakeOptimizer | None = None
) -> Engine:
    """The engine of this rank, with the run's initial weights; by default with the run's AdamW."""
    start_deepspeed()
    make_optimizer = make_optimizer or adamw(training)
    tokens = batch.global_batch_sequences * model.sequence_length
    if training.pipeline_stages > 1:
        stage, process_groups = pipeline_module(model, training, batch, TokenLoss(batch, tokens))
        wrapped = initialize(stage, training, batch, make_optimizer)
        return PipelineEngine(wrapped, training, batch, tokens, process_groups)
    shard_away = shard_blocks(model, training, batch) if training.zero_stage == 3 else lambda _: None
    whole = GPT(model, training.seed, training.activation_checkpointing, shard_away)
    return DataParallelEngine(initialize(whole, training, batch, make_optimizer), training, batch, tokens)
