"""What `show` says of a run: each step with its sums, the training, where the export is. Read from manifests only."""

import json
from typing import Any

from seedbed import kept_spending
from seedbed.artifact import Artifact
from seedbed.lease import Leases
from seedbed.plan import Plan, PlannedStep
from seedbed.planted import COPIES, PASSAGES
from seedbed.runs import CONFORMANCE, RunRecord, lease_name
from seedbed.state import StateDirectory
from seedbed.store import Store

DONE, RUNNING, TO_DO = "done", "running", "to do"
_TRAINING_KEYS = (
    "steps",
    "loss_first",
    "loss_last",
    "validation_loss",
    "perplexity",
    "bits_per_byte",
    "unigram_loss",
    "bigram_loss",
)
_SUMS = ("records_in", "records_out", "dropped", "digest", "seconds")


def run_summary(store: Store, state: StateDirectory, record: RunRecord, plan: Plan) -> dict[str, Any]:
    """The run as one JSON value: `run`, `state`, `steps`, `training`, `export` and what went wrong."""
    steps = [step_summary(store, state, step) for step in plan.steps]
    return {
        "run": record.run,
        "store": store.url,
        "name": record.name,
        "state": record.state,
        "error": record.error,
        "created_at": record.created_at,
        "attempts": record.attempts,
        "over_budget": record.over_budget,
        "steps": steps,
        "training": training_summary(store, state, plan),
        "export": _export_path(store, plan),
        "conformance": _conformance(store, plan),
        "is_running": Leases(store, state).is_held(lease_name(record.run)),
    }


def _conformance(store: Store, plan: Plan) -> dict[str, Any] | None:
    """Whether the run's layout was proven, when and on what; None where nobody has asked.

    Of the layout a run's name leaves out the number of ranks alone, so it may have been asked of another.
    """
    path = f"runs/{plan.run_id}/{CONFORMANCE}"
    if not store.exists(path):
        return None
    certificate = json.loads(store.read(path))
    said = {key: certificate[key] for key in ("passed", "made_at", "device", "layout", "is_reduced")}
    return said | {"is_of_these_ranks": certificate["layout"]["ranks"] == plan.config["cluster"]["training_ranks"]}


def step_summary(store: Store, state: StateDirectory, step: PlannedStep) -> dict[str, Any]:
    """What a step took in and put out, or, before it is done, how many of its units are."""
    artifact = Artifact(store, step.kind, step.fingerprint)
    manifest = artifact.manifest()
    summary = {"kind": step.kind, "fingerprint": step.fingerprint, "path": artifact.path}
    if manifest is None:
        running = Leases(store, state).is_held(f"{step.kind}-{step.fingerprint}")
        units = len(store.names(f"{artifact.path}/units"))
        nothing = dict.fromkeys(_SUMS)
        return summary | {"state": RUNNING if running else TO_DO, "units_done": units} | nothing
    keys = ("bytes_in", "bytes_out", "bytes_cut", "bytes_added", "counts", "made_by_run")
    told = {key: manifest[key] for key in (*_SUMS, *keys)}
    told |= {key: manifest[key] for key in ("benchmarks", COPIES, PASSAGES) if key in manifest}
    return summary | {"state": DONE} | told


def training_summary(store: Store, state: StateDirectory, plan: Plan) -> dict[str, Any] | None:
    """Losses in nats per token and what they are held against; None before the first step."""
    pretrain = _manifest(store, plan, "pretrain")
    training = pretrain["training"] if pretrain else _unfinished_training(state, plan)
    if training is None:
        return None
    evaluation = (_manifest(store, plan, "evaluate") or {}).get("evaluation", {})
    while_training = {"validation_loss_while_training": training["validation_loss"]}  # on fewer held-out tokens
    artifact = Artifact(store, "pretrain", plan.step("pretrain").fingerprint)
    spending = {"spending": kept_spending.read(artifact).summary(kept_spending.price_of(plan))}
    mixture = {"mixture": pretrain["mixture"]} if pretrain and "mixture" in pretrain else {}
    return dict.fromkeys(_TRAINING_KEYS) | training | while_training | evaluation | mixture | spending


def _unfinished_training(state: StateDirectory, plan: Plan) -> dict[str, Any] | None:
    """What the metrics spool of this machine says of a training that has not ended."""
    spool = state.folder("metrics") / f"{plan.step('pretrain').fingerprint}.jsonl"
    if not spool.exists():
        return None
    lines = [json.loads(line) for line in spool.read_text().splitlines() if line.endswith("}")]
    steps = [line for line in lines if "loss" in line]
    if not steps:
        return None
    validated = [line["validation_loss"] for line in lines if line.get("validation_loss") is not None]
    return {
        "steps": steps[-1]["step"],
        "loss_first": steps[0]["loss"],
        "loss_last": steps[-1]["loss"],
        "validation_loss": validated[-1] if validated else None,
    }


def _manifest(store: Store, plan: Plan, kind: str) -> dict[str, Any] | None:
    return Artifact(store, kind, plan.step(kind).fingerprint).manifest()


def _export_path(store: Store, plan: Plan) -> str | None:
    step = plan.step("export")
    artifact = Artifact(store, step.kind, step.fingerprint)
    return f"{store.url}/{artifact.path}/model" if artifact.manifest() is not None else None
