"""The certificate: which layout, on which versions and device, computed what one process computes."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from jobs.pretrain.conform.case import Case, cases_of
from jobs.pretrain.conform.result import CaseResult
from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.run import RunConfig

MAX_WIDTH, MAX_VOCABULARY, MAX_SEQUENCE = 128, 2048, 128
MAX_LAYERS_PER_STAGE = 2
MAX_MICRO_BATCH, MAX_ACCUMULATION = 8, 4
SOFTWARE = ("seedbed", "torch", "deepspeed")


@dataclass(frozen=True)
class Trial:
    """What is compared for a run: its layout, on its own model or on a smaller one of the same blocks."""

    cases: list[Case]
    is_reduced: bool


def trial_of(run: RunConfig, full: bool) -> Trial:
    """The cases for the run's exact layout; with `full` on the run's own model and batch.

    Dropout is off: its random numbers differ from layout to layout by design. A batch that is made smaller leaves rows
    to pad, so that uneven micro batches are tried too. Raises RunFileError.
    """
    model = run.model.model_copy(update={"dropout": 0.0})
    training = run.training
    if not full:
        reduced = _reduced(model, training.pipeline_stages)
        micro = min(training.micro_batch_sequences, MAX_MICRO_BATCH)
        planned = batch_layout(training, run.model.sequence_length, run.cluster.training_ranks)
        at_once = planned.data_ranks * micro
        # One row less is padding, but where a micro batch is one row it would be a micro batch less.
        rows = at_once * min(planned.accumulation_steps, MAX_ACCUMULATION) - (1 if at_once > 1 else 0)
        tokens = rows * reduced.sequence_length
        training = training.model_copy(update={"micro_batch_sequences": micro, "global_batch_tokens": tokens})
        return Trial(cases_of(reduced, training), reduced != model)
    return Trial(cases_of(model, training), False)


def _reduced(model: ModelConfig, stages: int) -> ModelConfig:
    """The same blocks, smaller and fewer."""
    if model.width <= MAX_WIDTH:
        width, heads = model.width, model.num_heads
    else:
        width, heads = MAX_WIDTH, 4
    return model.model_copy(
        update={
            "num_layers": min(model.num_layers, MAX_LAYERS_PER_STAGE * max(stages, 2)),
            "width": width,
            "num_heads": heads,
            "vocab_size": min(model.vocab_size, MAX_VOCABULARY),
            "sequence_length": min(model.sequence_length, MAX_SEQUENCE),
        }
    )


def certificate(
    run_id: str, run: RunConfig, trial: Trial, results: Sequence[CaseResult], device_name: str
) -> dict[str, Any]:
    """What is kept beside the run, as JSON."""
    training = run.training
    return {
        "run": run_id,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "passed": bool(results) and all(result.passed for result in results),
        "layout": {
            "ranks": run.cluster.training_ranks,
            "zero_stage": training.zero_stage,
            "pipeline_stages": training.pipeline_stages,
            "precision": training.precision,
            "optimizer_offload": training.optimizer_offload,
            "activation_checkpointing": training.activation_checkpointing,
            "micro_batch_sequences": trial.cases[0].training.micro_batch_sequences,
            "accumulation_steps": trial.cases[0].batch(run.cluster.training_ranks).accumulation_steps,
        },
        "model": trial.cases[0].model.model_dump(mode="json"),
        "is_reduced": trial.is_reduced,
        "device": device_name,
        "software": {package: version(package) for package in SOFTWARE} | {"python": platform.python_version()},
        "cases": [result.as_json() for result in results],
    }
