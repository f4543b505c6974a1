"""The plan: a run resolved, fingerprinted and costed before anything starts. Immutable; kept with the run."""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import blake3

from dataprep.reading.formats import format_of
from seedbed.artifact import Artifact
from seedbed.budget import REFUSE, Finding, check_budget, nearest_num_steps, verdict
from seedbed.fingerprint import canonical_json
from seedbed.layout import check_layout
from seedbed.plan_numbers import PlanNumbers
from seedbed.runfile.load import from_resolved, resolved
from seedbed.runfile.run import RunConfig
from seedbed.scaling.checkpoint import checkpoint_size
from seedbed.scaling.flops import flops_per_token, model_flops_per_token
from seedbed.scaling.laws import Prediction
from seedbed.scaling.memory import memory_per_rank
from seedbed.scaling.parameters import matmul_parameters, parameter_counts
from seedbed.scaling.time_and_money import Estimate, step_time_s
from seedbed.sources import SourceFile, list_sources
from seedbed.steps import FingerprintedStep, fingerprint_steps
from seedbed.store import Store

CACHED, TO_DO = "cached", "to do"
TOKENS_PER_PLAIN_BYTE = 1  # a token of byte-level BPE holds a byte or more; a document's markup outweighs its end mark
TOKENS_PER_COMPRESSED_BYTE = 10  # no compressor gets English text below a tenth: mattmahoney.net/dc/text.html, enwik9
RUN_DIGEST_DIGITS = 8  # hex: two of a hundred runs of one name agree once in a million
MAX_IGNORED_SHOWN = 20
_ESTIMATES = ("step_time_s", "hours", "device_hours", "cost")
_OLDER = "an older Seedbed made this plan"
_UNKNOWN, _UNKNOWN_LOSS = Estimate.unknown(_OLDER), Prediction("", None, _OLDER)


@dataclass(frozen=True)
class PlannedStep:
    """A step, and whether the store has it already."""

    kind: str
    version: int
    fingerprint: str
    parents: dict[str, str]  # kind -> fingerprint
    config: dict[str, Any]
    software: dict[str, str]
    state: str  # cached or to do
    digest: str | None  # over the content, of what is cached


@dataclass(frozen=True)
class Plan:
    """A run before it starts. `to_json` is what `seedbed plan --json` prints."""

    run_id: str
    verdict: str  # pass, warn or refuse
    findings: tuple[Finding, ...]
    parameters: int
    parameters_by_component: dict[str, int]
    matmul_parameters: int
    tokens: int  # that the model is trained on, repeats counted
    unique_tokens: int | None  # of the training split; None until `shards` has counted them
    max_unique_tokens: int
    flops_per_token: int
    flops: int
    memory_per_rank_bytes: int
    memory_per_rank_by_component: dict[str, int]
    steps: tuple[PlannedStep, ...]
    sources: tuple[SourceFile, ...]
    num_ignored: int
    ignored: tuple[str, ...]  # the first files that no reader takes
    config: dict[str, Any]  # the run file with everything filled in
    # What follows has a value for plans of an older Seedbed, which do not say it.
    checkpoint_bytes: int | None = None  # of one checkpoint
    checkpoint_by_component: dict[str, int] = field(default_factory=dict)
    step_time_s: Estimate = _UNKNOWN
    hours: Estimate = _UNKNOWN  # wall time of all training steps
    device_hours: Estimate = _UNKNOWN
    cost: Estimate = _UNKNOWN  # in the currency of cluster.price_per_device_hour
    predicted_loss: Prediction = _UNKNOWN_LOSS
    nearest_num_steps: int | None = None  # of a refused plan: as many steps would not be refused

    @cached_property
    def run(self) -> RunConfig:
        return from_resolved(self.config)

    @property
    def name(self) -> str:
        return self.run.name

    def step(self, kind: str) -> PlannedStep:
        return next(step for step in self.steps if step.kind == kind)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plan":
        parts: dict[str, Any] = {
            "findings": tuple(Finding.from_json(finding) for finding in value["findings"]),
            "steps": tuple(PlannedStep(**step) for step in value["steps"]),
            "sources": tuple(SourceFile(**source) for source in value["sources"]),
            "ignored": tuple(value["ignored"]),
        }
        parts |= {name: Estimate.from_json(value[name]) for name in _ESTIMATES if name in value}
        if "predicted_loss" in value:
            parts["predicted_loss"] = Prediction.from_json(value["predicted_loss"])
        return cls(**(value | parts))


def make_plan(run: RunConfig, store: Store) -> Plan:
    """What `run` would do with what `store` holds, and the verdict of its budget. Starts and writes nothing.

    Raises RunFileError for a layout that cannot be run, SourceError when a source cannot be read, StoreError when the
    store cannot be.
    """
    check_layout(run.model, run.training, run.cluster)
    listing = list_sources(run.data)
    fingerprinted = fingerprint_steps(run, listing)
    manifests = {step.kind: Artifact(store, step.kind, step.fingerprint).manifest() for step in fingerprinted}
    parameters = parameter_counts(run.model)
    checkpoint = checkpoint_size(run.model)
    memory = memory_per_rank(run.model, run.training, run.cluster.training_ranks)
    tokens = run.training.num_steps * run.training.global_batch_tokens
    per_token = flops_per_token(run.model, run.training.activation_checkpointing)
    plan = Plan(
        run_id=f"{run.name}-{_run_digest(run, fingerprinted)}",
        verdict="",
        findings=(),
        parameters=parameters.total,
        parameters_by_component=asdict(parameters),
        matmul_parameters=matmul_parameters(run.model),
        tokens=tokens,
        unique_tokens=_unique_tokens(manifests["shards"]),
        max_unique_tokens=sum(_max_tokens(file) for file in listing.files),
        flops_per_token=per_token,
        flops=per_token * tokens,
        memory_per_rank_bytes=memory.total,
        memory_per_rank_by_component=asdict(memory),
        checkpoint_bytes=checkpoint.total,
        checkpoint_by_component=asdict(checkpoint),
        steps=tuple(_planned(step, manifests[step.kind]) for step in fingerprinted),
        sources=listing.files,
        num_ignored=len(listing.ignored),
        ignored=listing.ignored[:MAX_IGNORED_SHOWN],
        config=resolved(run),
    )
    return _judged(plan, run)


def check_with_measured_tokens(plan: Plan, store: Store) -> tuple[str, tuple[Finding, ...]]:
    """Verdict and findings of the same plan after `shards`, with the tokens of the training split that it counted."""
    shards = plan.step("shards")
    measured = _unique_tokens(Artifact(store, shards.kind, shards.fingerprint).manifest())
    judged = _judged(replace(plan, unique_tokens=measured), plan.run)
    return judged.verdict, judged.findings


def _judged(plan: Plan, run: RunConfig) -> Plan:
    """The plan with its forecast and its verdict, both of which move with the number of unique tokens."""
    numbers = _numbers(plan, run)
    findings = check_budget(run.budget, numbers)
    decided = verdict(findings)
    return replace(
        plan,
        findings=tuple(findings),
        verdict=decided,
        step_time_s=numbers.step_time_s,
        hours=numbers.wall_hours,
        device_hours=numbers.device_hours,
        cost=numbers.cost,
        predicted_loss=numbers.predicted_loss,
        nearest_num_steps=nearest_num_steps(run.budget, numbers, findings) if decided == REFUSE else None,
    )


def _numbers(plan: Plan, run: RunConfig) -> PlanNumbers:
    training, cluster = run.training, run.cluster
    sequences = training.global_batch_tokens // run.model.sequence_length
    return PlanNumbers(
        parameters=plan.parameters,
        parameters_without_embeddings=parameter_counts(run.model).without_embeddings,
        matmul_parameters=plan.matmul_parameters,
        flops_per_token=plan.flops_per_token,
        num_steps=training.num_steps,
        global_batch_tokens=training.global_batch_tokens,
        unique_tokens=plan.unique_tokens,
        max_unique_tokens=plan.max_unique_tokens,
        step_time_s=step_time_s(model_flops_per_token(run.model), training, cluster),
        num_ranks=cluster.training_ranks,
        micro_batches_per_step=sequences // training.micro_batch_sequences,
        price_per_device_hour=cluster.price_per_device_hour,
        loss_law=run.budget.loss_law,
        min_num_steps=training.warmup_steps + 1,
    )


def _planned(step: FingerprintedStep, manifest: dict[str, Any] | None) -> PlannedStep:
    state, digest = (TO_DO, None) if manifest is None else (CACHED, manifest.get("digest"))
    return PlannedStep(**vars(step), state=state, digest=digest)


def _unique_tokens(shards_manifest: dict[str, Any] | None) -> int | None:
    return None if shards_manifest is None else shards_manifest["counts"]["train_tokens"]


def _max_tokens(file: SourceFile) -> int:
    is_plain = format_of(file.path) == ("jsonl", None)  # a WARC's answers may be compressed in themselves
    return file.num_bytes * (TOKENS_PER_PLAIN_BYTE if is_plain else TOKENS_PER_COMPRESSED_BYTE)


def _run_digest(run: RunConfig, steps: list[FingerprintedStep]) -> str:
    """Names what a run is: moved sources, other machines, other tracking and another order of the sources leave it."""
    content = resolved(run)
    del content["cluster"], content["tracking"]
    for source in content["data"]["sources"].values():
        del source["path"]  # which files it led to is in the fingerprint of `extract`
    named = {"steps": {step.kind: step.fingerprint for step in steps}, "config": content}
    return blake3.blake3(canonical_json(named)).hexdigest()[:RUN_DIGEST_DIGITS]
