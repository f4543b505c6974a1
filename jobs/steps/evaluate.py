"""`evaluate`: the trained model on held-out tokens, over all and by group of documents, beside a unigram and a bigram
model on the same tokens."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch
from safetensors.torch import load_model

from dataprep import document_id
from dataprep.registered_domains import registered_domains
from dataprep.shards import text_lengths
from dataprep.tokenizer import Encoder, Tokens
from jobs.by_shard import rows_by_id
from jobs.evaluate import counted_tokens, evaluate, token_losses, validation_samples
from jobs.group_losses import losses_by_group, whole_documents
from jobs.pretrain.model import GPT
from jobs.pretrain.shards import TokenShards
from jobs.step_run import StepRun, total
from jobs.steps.tokenizer import NAME as TOKENIZER
from jobs.unit import Unit
from seedbed.artifact import Artifact, Report
from seedbed.fingerprint import canonical_json
from seedbed.runfile.evaluation import EvaluationConfig
from seedbed.runfile.model import ModelConfig

KINDS = ["source", "language", "domain"]
NO_DOMAIN = "(none)"
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
    config = EvaluationConfig.model_validate(unit.config)
    pretrain, shards = unit.parents["pretrain"], unit.parents["shards"]
    trained = pretrain.committed()
    model_config = ModelConfig.model_validate(trained["config"]["model"])
    tokens = TokenShards.of(shards, unit.scratch_dir)
    tokens.fetch()
    model = _model(pretrain, model_config, unit.staging()).to(device)
    validation, length = tokens.validation_stream(), model_config.sequence_length
    losses = token_losses(model, validation, validation_samples(validation, length, config.max_tokens), length)
    scores = evaluate(
        losses,
        _counted(tokens, trained.get("mixture")),
        validation,
        shards.committed()["counts"]["validation_bytes"],
        model_config.vocab_size,
    )
    documents, of_documents = whole_documents(losses, _held_out(unit))
    table = _with_groups(unit, documents, validation.read(0, losses.size + 1))
    groups = losses_by_group(table, of_documents, KINDS, config)
    unit.write_file(RESULT, canonical_json(_rounded(asdict(scores) | {"by": groups})))
    return Report(counts={"num_tokens": scores.num_tokens})


def _model(pretrain: Artifact, config: ModelConfig, staging: Path) -> GPT:
    model = GPT(config)
    with tempfile.TemporaryDirectory(dir=staging) as folder:
        weights = Path(folder) / "model.safetensors"
        pretrain.store.download(f"{pretrain.path}/{weights.name}", weights)
        load_model(model, weights)  # knows that tied weights are stored once
    return model


def _counted(tokens: TokenShards, mixture: dict[str, dict[str, Any]] | None) -> npt.NDArray[np.int64]:
    """Tokens to count n-grams over: of a mixture, of each source as much of them as of the training."""
    if mixture is None:
        return counted_tokens([(tokens.train_stream(), 1)])
    return counted_tokens([(tokens.stream_of(name), row["tokens"]) for name, row in mixture.items() if row["tokens"]])


def _held_out(unit: Unit) -> pa.Table:
    """`id`, `first_token` in the stream of all held-out tokens and `num_tokens` of every held-out document, in
    its order."""
    shards = unit.parents["shards"]
    parts, before = [], 0
    for name in shards.committed()["token_shards"]["validation"]:
        part = shards.read_table("documents", name.removeprefix("tokens/"))
        parts.append(part.set_column(1, "first_token", pc.add(part["first_token"], before)))
        before += pc.sum(part["num_tokens"]).as_py() or 0
    return pa.concat_tables(parts).sort_by("first_token")


def _with_groups(unit: Unit, documents: pa.Table, tokens: npt.NDArray[np.int64]) -> pa.Table:
    """The documents with `num_bytes` of text and the columns KINDS."""
    first, sizes = documents["first_token"].to_numpy(), documents["num_tokens"].to_numpy()
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    places = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], sizes)
    tokenizer = unit.parents["tokenizer"]
    encoder = Encoder(tokenizer.store.read(f"{tokenizer.path}/{TOKENIZER}"))
    num_bytes = text_lengths(Tokens(tokens[places], offsets), encoder)

    corpus = unit.parents["corpus"]
    inputs = corpus.committed()["input_shards"]
    prefixes = {shard["unit"]: shard["prefix"] for shard in inputs}
    rows = rows_by_id(corpus, "corpus", documents["id"], prefixes, ["id", "url", "language"])
    rows = rows.take(pc.index_in(documents["id"].combine_chunks(), value_set=rows["id"].combine_chunks()))
    source_of = {bytes.fromhex(shard["prefix"]): shard["source"] for shard in inputs}
    leads = pc.binary_slice(pc.cast(documents["id"], pa.binary()), 0, document_id.PREFIX_BYTES).to_pylist()
    domains = registered_domains(rows["url"].combine_chunks()).cast(pa.large_string())
    columns = {
        "source": pa.array([source_of[lead] for lead in leads], pa.string()),
        "language": rows["language"],
        "domain": pc.fill_null(domains, NO_DOMAIN),
    }
    return pa.table({"num_tokens": documents["num_tokens"], "num_bytes": pa.array(num_bytes), **columns})


def _rounded(value: Any) -> Any:
    """Losses to a millionth: what lies beyond is the order of additions."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 6) if isinstance(value, float) else value
