"""Where a training keeps what it has spent: beside its checkpoints, so that it outlives command and machine."""

import json

from dataprep.errors import CorruptDataError
from seedbed.artifact import Artifact
from seedbed.plan import Plan
from seedbed.spending import Price, Spending

FILE = "spending.json"


def read(artifact: Artifact) -> Spending:
    """What was spent on this artifact; nothing, where nothing was kept. Raises CorruptDataError."""
    path = f"{artifact.path}/{FILE}"
    if not artifact.store.exists(path):
        return Spending()
    try:
        return Spending.from_json(json.loads(artifact.store.read(path)))
    except (ValueError, TypeError) as error:
        cure = "remove it, and what was spent before is forgotten"
        raise CorruptDataError(f"{path} is damaged ({error}): {cure}") from error


def write(artifact: Artifact, spending: Spending) -> None:
    """Raises StoreError."""
    artifact.store.write(f"{artifact.path}/{FILE}", json.dumps(spending.to_json()).encode())


def price_of(plan: Plan) -> Price:
    """What the steps of this plan cost. Not by `plan.run`, so that plans of an older Seedbed are told of, too."""
    training, cluster = plan.config["training"], plan.config["cluster"]
    per_step = plan.flops_per_token * training["global_batch_tokens"]
    return Price(training["num_steps"], per_step, cluster["price_per_device_hour"])
