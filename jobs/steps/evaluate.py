"""`evaluate`: the trained model on all held-out tokens, beside a unigram and a bigram model on the same tokens."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model

from jobs.evaluate import evaluate
from jobs.pretrain.model import GPT
from jobs.pretrain.shards import TokenShards
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.fingerprint import canonical_json
from seedbed.runfile.model import ModelConfig

MAX_TOKENS = 1_000_000
"""Held-out tokens that are scored at most: with some 3 nats of deviation a token, to 0.003 nats."""

RESULT = "evaluation.json"


def run(step: StepRun) -> None:
    """One unit: the model is small beside what trained it."""
    cluster = step.plan.run.cluster
    arguments = {"all": {"device": cluster.device, "threads": cluster.threads_per_rank}}
    reports = step.map("jobs.steps.evaluate:unit", ["all"], arguments=arguments, num_gpus=int(cluster.device == "cuda"))
    step.commit(total(reports), evaluation=step.read_json(RESULT))


def unit(unit: Unit, device: str, threads: int) -> Report:
    """Score the model."""
    torch.set_num_threads(threads)
    pretrain, shards = unit.parents["pretrain"], unit.parents["shards"]
    model_config = ModelConfig.model_validate(pretrain.committed()["config"]["model"])
    tokens = TokenShards.of(shards, unit.scratch_dir)
    tokens.fetch()
    model = GPT(model_config)
    with tempfile.TemporaryDirectory(dir=unit.staging()) as folder:
        weights = Path(folder) / "model.safetensors"
        pretrain.store.download(f"{pretrain.path}/{weights.name}", weights)
        load_model(model, weights)  # knows that tied weights are stored once
    model.to(device)
    scores = evaluate(
        model,
        tokens.train_stream(),
        tokens.validation_stream(),
        shards.committed()["counts"]["validation_bytes"],
        model_config.vocab_size,
        model_config.sequence_length,
        MAX_TOKENS,
    )
    unit.write_file(RESULT, canonical_json(_rounded(asdict(scores))))
    return Report(counts={"num_tokens": scores.num_tokens})


def _rounded(scores: dict[str, Any]) -> dict[str, Any]:
    """Losses to a millionth: what lies beyond is the order of additions."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in scores.items()}
