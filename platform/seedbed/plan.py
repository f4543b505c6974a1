"""The plan: a run resolved, fingerprinted and costed before anything starts. Immutable; kept with the run."""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import blake3
from pydantic import ValidationError

from dataprep.errors import CorruptDataError
from seedbed.artifact import Artifact
from seedbed.budget import REFUSE, WARN, Finding, check_budget, nearest_num_steps, verdict
from seedbed.earlier import find_earlier_corpora
from seedbed.fingerprint import canonical_json
from seedbed.fit import check_fit
from seedbed.layout import batch_layout, check_machine
from seedbed.list_files import list_digests, with_digests
from seedbed.mixture import MixedSource, MixtureNumbers, mixture_numbers
from seedbed.plan_numbers import PlanNumbers
from seedbed.runfile.load import from_resolved, resolved
from seedbed.runfile.run import RunConfig
from seedbed.scaling.checkpoint import checkpoint_size
from seedbed.scaling.flops import flops_per_token, model_flops_per_token
from seedbed.scaling.hardware import memory_of
from seedbed.scaling.laws import Optimum, Prediction, optima
from seedbed.scaling.memory import RankMemory, memory_by_role
from seedbed.scaling.parameters import matmul_parameters, parameter_counts
from seedbed.scaling.time_and_money import Estimate, step_time_s
from seedbed.sources import SourceFile, list_sources
from seedbed.steps import FingerprintedStep, fingerprint_steps
from seedbed.store import Store
from seedbed.unique_tokens import unique_tokens

CACHED, TO_DO = "cached", "to do"
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
    memory_per_rank_bytes: int  # of the role that takes the most
    memory_per_rank_by_component: dict[str, int]
    steps: tuple[PlannedStep, ...]
    sources: tuple[SourceFile, ...]
    num_ignored: int
    ignored: tuple[str, ...]  # the first files that no reader takes
    config: dict[str, Any]  # the run file with everything filled in
    # What follows has a value for plans of an older Seedbed, which do not say it.
    lists: dict[str, str] = field(default_factory=dict)  # list files, path -> digest
    checkpoint_bytes: int | None = None  # of one checkpoint
    checkpoint_by_component: dict[str, int] = field(default_factory=dict)
    step_time_s: Estimate = _UNKNOWN
    hours: Estimate = _UNKNOWN  # wall time of all training steps
    device_hours: Estimate = _UNKNOWN
    cost: Estimate = _UNKNOWN  # in the currency of cluster.price_per_device_hour
    predicted_loss: Prediction = _UNKNOWN_LOSS
    likely_unique_tokens: int | None = None  # once `deduplicate` is done
    memory_by_role: tuple[RankMemory, ...] = ()
    device_memory_bytes: int | None = None
    optimum: tuple[Optimum, ...] = ()  # what the same FLOPs train best, by each law; none are computed twice
    nearest_num_steps: int | None = None  # of a refused plan: as many steps would not be refused
    mixture: tuple[MixedSource, ...] = ()  # what is taken of each source, as far as is known; of a run that mixes

    @cached_property
    def run(self) -> RunConfig:
        """Raises CorruptDataError where the plan holds what no run file of this version does."""
        try:
            return from_resolved(self.config)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in problem["loc"])
            raise CorruptDataError(
                f"runs/{self.run_id}/plan.json: {key}: {problem['msg']} (found {str(problem['input'])[:60]!r}): "
                f"another version of Seedbed made this plan. Read it with that version, or plan its run file anew with "
                f"this one: `seedbed plan RUN.yaml`; steps that are the same computation stay in the store"
            ) from None

    @property
    def name(self) -> str:
        name: str = self.config["name"]
        return name

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
            "memory_by_role": tuple(RankMemory(**role) for role in value.get("memory_by_role", ())),
            "optimum": tuple(Optimum.from_json(best) for best in value.get("optimum", ())),
            "mixture": tuple(MixedSource(**row) for row in value.get("mixture", ())),
        }
        parts |= {name: Estimate.from_json(value[name]) for name in _ESTIMATES if name in value}
        if "predicted_loss" in value:
            parts["predicted_loss"] = Prediction.from_json(value["predicted_loss"])
        return cls(**(value | parts))


def make_plan(run: RunConfig, store: Store) -> Plan:
    """What `run` would do with what `store` holds, and the verdict of its budget. Starts and writes nothing.

    Raises RunFileError for a precision that this machine does not have, SourceError when a source cannot be read,
    StoreError when the store cannot be.
    """
    check_machine(run.training, run.cluster)
    listing = replace(list_sources(run.data), lists=list_digests(run.data.model_dump(mode="json")))
    minhash = run.data.annotate.minhash.model_dump(mode="json")
    earlier = find_earlier_corpora(run.data.deduplicate.against, store, run.name, minhash)
    listing = replace(listing, earlier=earlier)
    fingerprinted = fingerprint_steps(run, listing)
    manifests = {step.kind: Artifact(store, step.kind, step.fingerprint).manifest() for step in fingerprinted}
    parameters = parameter_counts(run.model)
    checkpoint = checkpoint_size(run.model)
    batch = batch_layout(run.training, run.model.sequence_length, run.cluster.training_ranks)
    roles = memory_by_role(run.model, run.training, batch)
    memory = max(roles, key=lambda role: role.total)
    tokens = run.training.num_steps * run.training.global_batch_tokens
    per_token = flops_per_token(run.model, run.training.activation_checkpointing)
    plan = Plan(
        run_id=f"{run.name}-{_run_digest(run, fingerprinted, listing.lists)}",
        verdict="",
        findings=(),
        parameters=parameters.total,
        parameters_by_component=asdict(parameters),
        matmul_parameters=matmul_parameters(run.model),
        tokens=tokens,
        **_supply(listing.files, run, manifests),
        flops_per_token=per_token,
        flops=per_token * tokens,
        memory_per_rank_bytes=memory.total,
        memory_per_rank_by_component=memory.by_component(),
        memory_by_role=roles,
        device_memory_bytes=memory_of(run.cluster),
        optimum=tuple(optima(model_flops_per_token(run.model) * tokens)),
        checkpoint_bytes=checkpoint.total,
        checkpoint_by_component=asdict(checkpoint),
        steps=tuple(_planned(step, manifests[step.kind]) for step in fingerprinted),
        sources=listing.files,
        num_ignored=len(listing.ignored),
        ignored=listing.ignored[:MAX_IGNORED_SHOWN],
        config=resolved(run),
        lists=listing.lists,
    )
    return _judged(plan, run)


def check_again(plan: Plan, store: Store) -> tuple[str, tuple[Finding, ...]]:
    """Verdict and findings of the same plan by what is known now: after `deduplicate`, after `decontaminate` and
    `repeats` where the run has them, and after `shards` exactly."""
    judged = known_now(plan, store)
    return judged.verdict, judged.findings


def known_now(plan: Plan, store: Store) -> Plan:
    """The same plan with the tokens that are known by now, their mixture and the verdict on them."""
    kinds = ("deduplicate", "decontaminate", "repeats", "corpus", "shards")
    telling = [step for step in plan.steps if step.kind in kinds]
    done = {step.kind: Artifact(store, step.kind, step.fingerprint).manifest() for step in telling}
    return _judged(replace(plan, **_supply(plan.sources, plan.run, done)), plan.run)


def _supply(
    files: tuple[SourceFile, ...], run: RunConfig, manifests: dict[str, dict[str, Any] | None]
) -> dict[str, Any]:
    """The fields of a plan that say what there is to train on, by what is known now."""
    unique, mixture = unique_tokens(files, run.data, manifests), mixture_numbers(files, run, manifests)
    rows: tuple[MixedSource, ...] = ()
    if mixture is not None:
        tokens = run.training.num_steps * run.training.global_batch_tokens
        unique, rows = mixture.seen(unique, tokens), mixture.rows(tokens)
    return {
        "unique_tokens": unique.counted,
        "max_unique_tokens": unique.at_most,
        "likely_unique_tokens": unique.likely,
        "mixture": rows,
    }


def _judged(plan: Plan, run: RunConfig) -> Plan:
    """The plan with its forecast and its verdict, both of which move with the number of unique tokens."""
    numbers = _numbers(plan, run)
    limits, fit = check_budget(run.budget, numbers), check_fit(run)
    findings = limits + ([] if fit is None else [fit]) + _remarks(numbers)
    decided = verdict(findings)
    steps_would_do = verdict(limits) == REFUSE and (fit is None or fit.level != REFUSE)
    return replace(
        plan,
        findings=tuple(findings),
        verdict=decided,
        step_time_s=numbers.step_time_s,
        hours=numbers.wall_hours,
        device_hours=numbers.device_hours,
        cost=numbers.cost,
        predicted_loss=numbers.predicted_loss,
        nearest_num_steps=nearest_num_steps(run.budget, numbers, limits) if steps_would_do else None,
    )


def _remarks(numbers: PlanNumbers) -> list[Finding]:
    """What of the mixture cannot be as asked, by what is known of the sources."""
    remarks = () if numbers.mixture is None else numbers.mixture.remarks(numbers.training_tokens)
    return [
        Finding(f"data.mixture.{said.key}", WARN, said.found, said.allowed, f"data.mixture.{said.key}: {said.message}")
        for said in remarks
    ]


def _numbers(plan: Plan, run: RunConfig) -> PlanNumbers:
    training, cluster = run.training, run.cluster
    sequences = training.global_batch_tokens // run.model.sequence_length
    micro_batches, rest = divmod(sequences, training.micro_batch_sequences)
    rows = batch_layout(training, run.model.sequence_length, cluster.training_ranks).rows_per_sequence
    return PlanNumbers(
        parameters=plan.parameters,
        parameters_without_embeddings=parameter_counts(run.model).without_embeddings,
        matmul_parameters=plan.matmul_parameters,
        flops_per_token=plan.flops_per_token,
        num_steps=training.num_steps,
        global_batch_tokens=training.global_batch_tokens,
        unique_tokens=plan.unique_tokens,
        max_unique_tokens=plan.max_unique_tokens,
        likely_unique_tokens=plan.likely_unique_tokens,
        step_time_s=step_time_s(model_flops_per_token(run.model), training, cluster, rows),
        num_ranks=cluster.training_ranks,
        rows_per_sequence=rows,
        ranks_per_model=training.pipeline_stages,
        micro_batches_per_step=0 if rest else micro_batches,
        price_per_device_hour=cluster.price_per_device_hour,
        loss_law=run.budget.loss_law,
        min_num_steps=training.warmup_steps + 1,
        mixture=MixtureNumbers.of(plan.mixture, run),
    )


def _planned(step: FingerprintedStep, manifest: dict[str, Any] | None) -> PlannedStep:
    state, digest = (TO_DO, None) if manifest is None else (CACHED, manifest.get("digest"))
    return PlannedStep(**vars(step), state=state, digest=digest)


def _run_digest(run: RunConfig, steps: list[FingerprintedStep], lists: dict[str, str]) -> str:
    """Names what a run is: moved sources, other machines, other tracking and another order of the sources leave it."""
    content = resolved(run)
    del content["cluster"], content["tracking"]
    for source in content["data"]["sources"].values():
        for key in ("path", "paths_below", "max_files"):  # which files they led to is in the fingerprint of `extract`
            del source[key]
    content["data"] = with_digests(content["data"], lists)  # what they hold, wherever they lie
    named = {"steps": {step.kind: step.fingerprint for step in steps}, "config": content}
    return blake3.blake3(canonical_json(named)).hexdigest()[:RUN_DIGEST_DIGITS]
