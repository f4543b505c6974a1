"""Every metric, declared once: name, unit, what it says, and where it is read.

The shipper, docs/tracking.md and whoever draws charts go by these. MLflow shows metrics in groups by what stands before
the slash, in alphabetical order: what a person watches while a model trains comes before the steps of the data. A value
that a record does not have is left out, never invented.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from seedbed.planted import COPIES, PASSAGES
from seedbed.tracking.settle import Step

_MAX_EXPONENT = math.log(1.7976931348623157e308)  # beyond it, exp has no value


@dataclass(frozen=True)
class RunFacts:
    """What the metrics of a run need to know beside its steps."""

    model_flops_per_token: int
    validation_tokens: int | None = None  # of the whole validation split; None until `shards` has counted them
    validation_bytes: int | None = None  # of its text, UTF-8


Value = Callable[[Step, RunFacts], float | None]


@dataclass(frozen=True)
class Metric:
    """One number that is tracked."""

    name: str
    unit: str
    description: str
    fields: tuple[str, ...] = ()  # of the step's record; the metric is left out where one is missing or null
    value: Value | None = None  # the first field as it stands, where nothing is said
    run_only: bool = False  # known of settled steps only: not in attempts


def _perplexity(loss: float) -> float | None:
    return math.exp(loss) if loss < _MAX_EXPONENT else None


def _bits_per_byte(step: Step, facts: RunFacts) -> float | None:
    if not facts.validation_tokens or not facts.validation_bytes:
        return None
    tokens_per_byte = facts.validation_tokens / facts.validation_bytes
    return float(step.record["validation_loss"] / math.log(2) * tokens_per_byte)


def _mfu(step: Step, facts: RunFacts) -> float | None:
    attempt = step.attempt
    if attempt is None or not attempt.num_ranks or not attempt.peak_flops_per_second:
        return None
    done = step.record["tokens_per_second"] * facts.model_flops_per_token
    return float(done / (attempt.num_ranks * attempt.peak_flops_per_second))


STEP_METRICS: tuple[Metric, ...] = (
    Metric("train/loss", "nats per token", "mean over the step's global batch", ("loss",)),
    Metric(
        "train/perplexity",
        "1",
        "exp of the loss; left out where that is beyond a float",
        ("loss",),
        lambda step, _: _perplexity(step.record["loss"]),
    ),
    Metric("train/learning_rate", "1", "of this step", ("learning_rate",)),
    Metric("train/gradient_norm", "1", "global L2 norm before clipping", ("gradient_norm",)),
    Metric("train/clip_coefficient", "1", "what the gradient was multiplied by; 1: not clipped", ("clip_coefficient",)),
    Metric(
        "train/clipped_share",
        "share, 0 to 1",
        "steps so far whose gradient was clipped",
        ("clip_coefficient",),
        lambda step, _: step.clipped_share,
        run_only=True,
    ),
    Metric("train/loss_scale", "1", "of fp16 training", ("loss_scale",)),
    Metric("train/tokens", "tokens", "trained on so far, repeats counted", ("tokens",)),
    Metric(
        "train/samples",
        "sequences",
        "trained on so far",
        ("samples",),
        lambda step, _: float(step.record["samples"][1]),
    ),
    Metric("validation/loss", "nats per token", "mean over held-out tokens", ("validation_loss",)),
    Metric(
        "validation/perplexity",
        "1",
        "exp of the validation loss; left out where that is beyond a float",
        ("validation_loss",),
        lambda step, _: _perplexity(step.record["validation_loss"]),
    ),
    Metric(
        "validation/bits_per_byte",
        "bits per UTF-8 byte",
        "the validation loss, comparable across tokenizers; none is given of training batches, whose bytes are not "
        "counted",
        ("validation_loss",),
        _bits_per_byte,
    ),
    Metric("speed/tokens_per_second", "tokens/s", "of all ranks, in this step", ("tokens_per_second",)),
    Metric("speed/step_seconds", "s", "one optimizer step, without validation and checkpoint", ("seconds",)),
    Metric("speed/data_seconds", "s", "of the step: reading the batch", ("data_s",)),
    Metric("speed/forward_backward_seconds", "s", "of the step: forward and backward passes", ("forward_backward_s",)),
    Metric("speed/optimizer_seconds", "s", "of the step: reduction, clipping, update", ("optimizer_s",)),
    Metric(
        "speed/mfu",
        "share, 0 to 1",
        "model FLOPs utilization: tokens/s x (6 N_matmul + causal attention, counted in half) over ranks x the "
        "datasheet's dense peak in the run's precision; recomputation does not count; left out where the peak is "
        "unknown",
        ("tokens_per_second",),
        _mfu,
    ),
    Metric(
        "speed/goodput",
        "share, 0 to 1",
        "share of the wall time of this state directory's drivers in steps that stayed; start, validation, "
        "checkpoints, restarts and lost steps are the rest",
        ("seconds",),
        lambda step, _: step.goodput,
        run_only=True,
    ),
    Metric(
        "memory/peak_megabytes",
        "MB (1e6 bytes)",
        "most that a rank held so far",
        ("peak_memory_bytes",),
        lambda step, _: step.record["peak_memory_bytes"] / 1e6,
    ),
)

UNDECLARED = "other/"
"""Leads the names of numbers in a record that nothing here declares: shown, and a test fails."""

_PLACE = {"step", "time"}  # where a value stands, and no value
DECLARED_FIELDS = _PLACE | {field for metric in STEP_METRICS for field in metric.fields}

STEP_RESULTS: tuple[Metric, ...] = (
    Metric("workflow/{step}_records_in", "records", "that the step took in"),
    Metric("workflow/{step}_records_out", "records", "that the step kept"),
    Metric("workflow/{step}_seconds", "s", "wall time of the step, when it was done"),
    Metric("workflow/train_tokens", "tokens", "of the training split"),
    Metric("workflow/validation_tokens", "tokens", "of the validation split"),
    Metric("workflow/corpus_bytes", "bytes", "UTF-8 text of the corpus"),
    Metric("workflow/benchmark_items_found", "items", "of evaluation sets, that stand in documents"),
    Metric("workflow/benchmark_documents", "documents", "that hold evaluation items"),
    Metric("workflow/planted_copies_recall", "share, 0 to 1", "of planted copies at the threshold and above: found"),
    Metric("workflow/planted_copies_expected_recall", "share, 0 to 1", "the same by the curve of the bands"),
    Metric("workflow/planted_copies_precision", "share, 0 to 1", "of their verified pairs: as alike as the threshold"),
    Metric("workflow/planted_passages_recall", "share, 0 to 1", "of planted benchmark passages, word for word: found"),
    Metric("workflow/planted_edited_passages_recall", "share, 0 to 1", "of those with words changed"),
    Metric("workflow/repeated_bytes", "bytes", "of passages that were cut as they stand elsewhere, too"),
    Metric("mixture/{source}_tokens", "tokens", "that were trained on, of a source of a mixture; repeats counted"),
    Metric("mixture/{source}_epochs", "1", "how often its text was seen"),
)
"""What the manifests of the steps say, once each; `{step}` is the name of a step."""

_SPENT: tuple[Metric, ...] = (
    Metric("flops", "FLOPs", "of all steps taken"),
    Metric("wall_hours", "h", "while a command trained, its start, validation and checkpoints with it"),
    Metric("device_hours", "device hours", "those hours x ranks"),
    Metric("cost", "the currency of cluster.price_per_device_hour", "device hours x that price; left out without one"),
    Metric("steps_taken", "steps", "those lost and taken again counted each time"),
)

SPENDING: tuple[Metric, ...] = (
    *(Metric(f"spending/{m.name}", m.unit, f"spent so far: {m.description}", (m.name,)) for m in _SPENT),
    *(
        Metric(
            f"spending/forecast_{m.name}", m.unit, f"at the end of the run: {m.description}", (f"forecast_{m.name}",)
        )
        for m in _SPENT
    ),
    Metric(
        "spending/steps_lost", "steps", "taken after the newest checkpoint and lost with their ranks", ("steps_lost",)
    ),
    Metric(
        "spending/goodput",
        "share, 0 to 1",
        "share of spending/wall_hours in steps that count so far, whichever command or machine took them",
        ("goodput",),
    ),
)
"""Of the events `spending`, over all commands of a training; `fields` are theirs. A point's step is `steps_taken`."""

EVALUATION: tuple[Metric, ...] = (
    Metric("evaluation/loss", "nats per token", "the final model on all held-out tokens", ("validation_loss",)),
    Metric("evaluation/perplexity", "1", "exp of it", ("perplexity",)),
    Metric("evaluation/bits_per_byte", "bits per UTF-8 byte", "the same loss per byte", ("bits_per_byte",)),
    Metric("evaluation/bigram_loss", "nats per token", "a bigram model on the same tokens", ("bigram_loss",)),
    Metric("evaluation/unigram_loss", "nats per token", "a unigram model on the same tokens", ("unigram_loss",)),
)
"""Of the step `evaluate`; `fields` are its manifest's."""

GROUPS: tuple[Metric, ...] = (
    Metric(
        "evaluation/{kind}_{group}_loss", "nats per token", "by source, language, domain: on its held-out documents"
    ),
    Metric("evaluation/{kind}_{group}_bits_per_byte", "bits per UTF-8 byte", "the same loss per byte"),
)
"""Of groups with enough held-out text (`evaluation.min_documents`, `.min_tokens`)."""

_NOT_IN_A_NAME = re.compile(r"[^\w\-. :/]")
"""What MLflow takes in no name of a metric (mlflow/utils/validation.py)."""

SYSTEM: tuple[Metric, ...] = (
    Metric("system/cpu_utilization_percentage", "%", "of all cores since the last look"),
    Metric("system/system_memory_usage_megabytes", "MB (1e6 bytes)", "used"),
    Metric("system/system_memory_usage_percentage", "%", "used"),
    Metric("system/disk_usage_percentage", "%", "of the file system of the state directory"),
    Metric("system/disk_available_megabytes", "MB (1e6 bytes)", "free on it"),
    Metric("system/network_receive_megabytes", "MB (1e6 bytes)", "since the driver's start, all interfaces"),
    Metric("system/network_transmit_megabytes", "MB (1e6 bytes)", "since the driver's start, all interfaces"),
    Metric("system/gpu_{n}_utilization_percentage", "%", "of GPU n, where nvidia-smi is there"),
    Metric("system/gpu_{n}_memory_usage_megabytes", "MB (1e6 bytes)", "used on GPU n"),
    Metric("system/gpu_{n}_power_usage_watts", "W", "drawn by GPU n"),
    Metric("system/{node}/{name}", "as above", "of another machine of the cluster, by its address"),
)
"""Of the driver's machine and of the others, under MLflow's own names; a point's step is the seconds since the run was
first started."""


def step_values(step: Step, facts: RunFacts, settled: bool) -> Iterator[tuple[str, float]]:
    """Name and value of everything that the step tells; `settled` where it is for the run, not for an attempt."""
    for metric in STEP_METRICS:
        if metric.run_only and not settled:
            continue
        if any(step.record.get(field) is None for field in metric.fields):
            continue
        value = metric.value(step, facts) if metric.value else float(step.record[metric.fields[0]])
        if value is not None:
            yield metric.name, value
    for field in sorted(undeclared(step.record)):
        value = step.record[field]
        if isinstance(value, int | float):
            yield f"{UNDECLARED}{field}", float(value)


def spending_values(event: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """What an event `spending` says is spent and will be."""
    for metric in SPENDING:
        value = event.get(metric.fields[0])
        if value is not None:
            yield metric.name, float(value)


def undeclared(record: dict[str, Any]) -> set[str]:
    """Fields of a step's record that no metric is read from."""
    return record.keys() - DECLARED_FIELDS


def evaluation_values(evaluation: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The scores of the final model."""
    for metric in EVALUATION:
        value = evaluation.get(metric.fields[0])
        if value is not None:
            yield metric.name, float(value)


def group_values(evaluation: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The scores of the final model by group."""
    for kind, found in evaluation.get("by", {}).items():
        for group in found["groups"]:
            name = _NOT_IN_A_NAME.sub("_", group["name"])
            yield f"evaluation/{kind}_{name}_loss", float(group["loss"])
            yield f"evaluation/{kind}_{name}_bits_per_byte", float(group["bits_per_byte"])


def manifest_values(manifest: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """What the manifest of a step counts."""
    kind, counts = manifest["kind"], manifest["counts"]
    if manifest["records_in"]:
        yield f"workflow/{kind}_records_in", float(manifest["records_in"])
        yield f"workflow/{kind}_records_out", float(manifest["records_out"])
    yield f"workflow/{kind}_seconds", float(manifest["seconds"])
    if kind == "corpus":
        yield "workflow/corpus_bytes", float(manifest["bytes_out"])
    if kind == "decontaminate":
        yield "workflow/benchmark_items_found", float(counts["items_found"])
        yield "workflow/benchmark_documents", float(counts["documents_hit"])
    yield from _plant_values(manifest)
    if kind == "repeats":
        yield "workflow/repeated_bytes", float(manifest["bytes_cut"])
    for source, row in manifest.get("mixture", {}).items():
        yield f"mixture/{source}_tokens", float(row["tokens"])
        yield f"mixture/{source}_epochs", float(row["epochs"])
    if kind == "shards":
        yield "workflow/train_tokens", float(counts["train_tokens"])
        yield "workflow/validation_tokens", float(counts["validation_tokens"])


def _plant_values(manifest: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Shares of plants; none where there was nothing to take a share of."""
    copies = manifest.get(COPIES, {})
    for name in ("recall", "expected_recall", "precision"):
        if copies.get(name) is not None:
            yield f"workflow/planted_copies_{name}", float(copies[name])
    passages = manifest.get(PASSAGES, {}).get("all", {})
    for kind, name in (("verbatim", "planted_passages"), ("edited", "planted_edited_passages")):
        if passages.get(kind, {}).get("planted"):
            yield f"workflow/{name}_recall", passages[kind]["found"] / passages[kind]["planted"]


def table() -> str:
    """All of them as a Markdown table."""
    lines = ["| metric | unit | |", "|---|---|---|"]
    for metric in (*STEP_METRICS, *SPENDING, *EVALUATION, *GROUPS, *STEP_RESULTS, *SYSTEM):
        lines.append(f"| `{metric.name}` | {metric.unit} | {metric.description} |")
    return "\n".join(lines)
