"""What MLflow is told of a run beside its numbers: params, tags, datasets, files; from plan, record and manifests."""

import getpass
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import seedbed
from seedbed.artifact import Artifact
from seedbed.plan import Plan, check_again
from seedbed.runs import CONFORMANCE, RunRecord
from seedbed.store import Store
from seedbed.tracking import metrics
from seedbed.tracking.settle import Attempt

MAX_PARAM = 6000  # characters; MLflow 3.17, utils/validation.py, as what follows
MAX_TAG = 8000
MAX_DIGEST = 36
RUN_TAG, KIND_TAG, ATTEMPT_TAG = "seedbed.run", "seedbed.kind", "seedbed.attempt"
RUNS_TAG = "seedbed.runs"
RUN_KIND, ATTEMPT_KIND = "run", "attempt"
_ELSEWHERE = ("cluster", "tracking")  # parts of a run file that may change while the run stays the same
_WEIGHTS = (".safetensors", ".bin")
_GIT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Dataset:
    """What a run was given, as MLflow's dataset input."""

    name: str
    digest: str  # at most MAX_DIGEST characters
    source: str  # URL or path of the artifact
    context: str
    profile: dict[str, Any]


def run_params(plan: Plan) -> dict[str, str]:
    """The run file, flattened, and what follows from it: all that cannot change while the run's id stays."""
    config = {key: value for key, value in plan.config.items() if key not in _ELSEWHERE}
    sources = {
        name: {key: value for key, value in source.items() if key != "path"}
        for name, source in config["data"]["sources"].items()
    }
    config["data"] = config["data"] | {"sources": sources}
    derived = {
        "parameters": plan.parameters,
        "matmul_parameters": plan.matmul_parameters,
        "tokens": plan.tokens,
        "flops": plan.flops,
        "flops_per_token": plan.flops_per_token,
        "tokens_per_parameter": round(plan.tokens / plan.parameters, 3),
    }
    return params({**config, "derived": derived})


def attempt_params(attempt: Attempt) -> dict[str, str]:
    """What an attempt ran on."""
    return params({"cluster": attempt.cluster, "num_ranks": attempt.num_ranks})


def params(tree: dict[str, Any]) -> dict[str, str]:
    """Dotted keys and values as text. A value that is too long for MLflow says so in its place, and where it stands."""
    return dict(_flat(tree, ""))


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
        return
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > MAX_PARAM:
        text = f"({len(text):,} characters, too long for a param: see the artifact run/resolved.yaml)"
    yield key, text


def run_tags(plan: Plan, record: RunRecord, store: Store, owner: str | None = None) -> dict[str, str]:
    """What the run is and comes from. MLflow's own tags make its pages show user, source and version."""
    cluster, training = plan.run.cluster, plan.run.training
    tags = {
        RUN_TAG: plan.run_id,
        KIND_TAG: RUN_KIND,
        "seedbed.store": without_password(store.url),
        "seedbed.version": version("seedbed"),
        "seedbed.budget_verdict": check_again(plan, store)[0],
        "seedbed.layout": f"{cluster.training_ranks} ranks x {cluster.threads_per_rank} threads on {cluster.device}, "
        f"ZeRO {training.zero_stage}, {training.pipeline_stages} pipeline stages, {training.precision}",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": "seedbed run",
        "mlflow.note.content": _note(plan),
    }
    tags |= {f"seedbed.fingerprint.{step.kind}": step.fingerprint for step in plan.steps}
    if record.over_budget:
        tags["seedbed.over_budget"] = record.over_budget
    commit = git_commit()
    if commit:
        tags["mlflow.source.git.commit"] = commit
    user = owner or _user()
    if user:
        tags["mlflow.user"] = user
    return {key: fitted_tag(value) for key, value in tags.items()}


def model_tags(plan: Plan, store: Store, evaluation: dict[str, Any]) -> dict[str, str]:
    """What leads from a version of a model back to its run, its data and its documents, and how good it is."""
    tags = {RUN_TAG: plan.run_id, "seedbed.store": without_password(store.url)}
    tags |= {
        f"seedbed.{kind}": artifact_source(Artifact(store, kind, plan.step(kind).fingerprint))
        for kind in ("corpus", "tokenizer", "shards", "ledger")  # the ledger: a row for each record that was read
    }
    tags["seedbed.documents"] = f"seedbed why URL --run {plan.run_id}"
    tags |= {name: f"{value:.6g}" for name, value in metrics.evaluation_values(evaluation)}
    return {key: fitted_tag(value) for key, value in tags.items()}


def version_tags(there: Mapping[str, str], back: Mapping[str, str]) -> dict[str, str]:
    """What a run says of a version that may be another run's, which made the same export: that one stays the run of the
    version, and both stand in `seedbed.runs`."""
    first, run = there.get(RUN_TAG, back[RUN_TAG]), back[RUN_TAG]
    known = there.get(RUNS_TAG, first).split()
    runs = {RUNS_TAG: fitted_tag(" ".join(dict.fromkeys([*known, run])))}
    return runs if first != run else {**back, **runs}


def attempt_tags(attempt: Attempt, run_uuid: str, owner: str | None = None) -> dict[str, str]:
    """Of a nested run; MLflow's tag makes it one."""
    tags = {
        RUN_TAG: attempt.run or "",
        KIND_TAG: ATTEMPT_KIND,
        ATTEMPT_TAG: attempt.key,
        "mlflow.parentRunId": run_uuid,
        "mlflow.source.name": "seedbed run",
        "mlflow.source.type": "LOCAL",
    }
    user = owner or _user()
    return tags | ({"mlflow.user": user} if user else {})


def ended_tags(attempt: Attempt) -> dict[str, str]:
    """What is known of an attempt later than its start."""
    tags = {}
    if attempt.first_step is not None:
        tags["seedbed.from_step"] = str(attempt.first_step)
    if attempt.reason:
        tags["seedbed.ended_because"] = fitted_tag(attempt.reason)
    return tags


def fitted_tag(text: str) -> str:
    """The text, or as much of it as a tag takes, which it then says."""
    if len(text) <= MAX_TAG:
        return text
    note = f"... (cut: {len(text):,} characters)"
    return text[: MAX_TAG - len(note)] + note


def _note(plan: Plan) -> str:
    url = plan.run.tracking.dashboard_url
    page = f"[this run in the dashboard]({url.rstrip('/')}/runs/{plan.run_id}), " if url else ""
    return (
        f"`{plan.run_id}`: {plan.parameters:,} parameters, {plan.tokens:,} tokens, {plan.flops:.3g} FLOPs.\n\n"
        "This run holds each step once, as soon as a checkpoint covers it; its nested runs are the attempts, with "
        "every step that they took. What each metric means and its unit: artifact `run/metrics.md`.\n\n"
        f"More: {page}`seedbed show {plan.run_id}`"
    )


@cache
def git_commit() -> str | None:
    """The commit of the source tree that runs; None where it is no git checkout."""
    try:
        found = subprocess.run(
            ["git", "-C", str(Path(seedbed.__file__).parent), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return None


def run_files(plan: Plan, record: RunRecord, store: Store) -> dict[str, bytes]:
    """Small files on the run itself, by their place among the run's artifacts."""
    verdict, findings = check_again(plan, store)
    budget = {
        "verdict": verdict,
        "verdict_when_planned": plan.verdict,
        "over_budget": record.over_budget,
        "findings": [finding.to_json() for finding in findings],
    }
    files = {
        "run/plan.json": json.dumps(plan.to_json(), indent=1).encode(),
        "run/resolved.yaml": store.read(f"runs/{plan.run_id}/resolved.yaml"),
        "run/budget.json": json.dumps(budget, indent=1).encode(),
        "run/metrics.md": f"# Metrics\n\n{metrics.table()}\n".encode(),
    }
    conformance = f"runs/{plan.run_id}/{CONFORMANCE}"
    if store.exists(conformance):
        files[f"run/{CONFORMANCE}"] = store.read(conformance)
    return files


def step_datasets(plan: Plan, artifact: Artifact, manifest: dict[str, Any]) -> list[Dataset]:
    """What the step's artifact is to a training: the corpus, or the two splits of token shards."""
    digest = manifest["digest"][:MAX_DIGEST]
    place = artifact_source(artifact)
    if artifact.kind == "corpus":
        profile = {"num_rows": manifest["records_out"], "num_bytes": manifest["bytes_out"]}
        return [Dataset(f"{plan.name} corpus", digest, f"{place}/corpus", "corpus", profile)]
    if artifact.kind == "shards":
        counts = manifest["counts"]
        splits = (("train", "training"), ("validation", "validation"))
        return [
            Dataset(
                f"{plan.name} {context} tokens",
                digest,
                f"{place}/tokens",
                context,
                {"num_rows": counts[f"{split}_tokens"], "num_elements": counts[f"{split}_tokens"]},
            )
            for split, context in splits
        ]
    return []


def step_files(artifact: Artifact, manifest: dict[str, Any]) -> dict[str, str]:
    """Small files of the step's artifact that go with the run: place among the run's artifacts -> path in the store."""
    named = [entry["path"] for entry in manifest["files"]]
    if artifact.kind == "tokenizer":
        return {"tokenizer/tokenizer.json": f"{artifact.path}/tokenizer.json"}
    if artifact.kind == "export":
        small = [path for path in named if path.startswith("model/") and not path.endswith(_WEIGHTS)]
        return {f"export/{path.removeprefix('model/')}": f"{artifact.path}/{path}" for path in small}
    return {}


def funnel(manifests: dict[str, dict[str, Any]]) -> bytes:
    """Records in, kept and dropped by reason of every step that is done, as JSON."""
    keys = ("records_in", "records_out", "dropped", "bytes_in", "bytes_out", "bytes_cut", "counts", "seconds")
    return json.dumps({kind: {key: found[key] for key in keys} for kind, found in manifests.items()}, indent=1).encode()


def artifact_source(artifact: Artifact) -> str:
    """URL of the artifact; of a store in a folder, its absolute path."""
    local = artifact.store.local_path(artifact.path)
    return str(local.absolute()) if local is not None else f"{without_password(artifact.store.url)}/{artifact.path}"


def without_password(url: str) -> str:
    """The URL without user and password."""
    return re.sub(r"://[^/]*@", "://...@", url)
