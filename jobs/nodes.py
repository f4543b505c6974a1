"""Whether every node of a cluster can do this run's work: the same code and packages, the same store, the sources.

A driver that was started on a node ships no code to others: all have the same image, or the same environment on a
shared folder. What was submitted brings Seedbed's own code along (`seedbed.bundle`); the image has the packages.
"""

import hashlib
import platform
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from seedbed.errors import InfrastructureError, UsageError
from seedbed.requirements import declared
from seedbed.store import TEMPORARY, Store

PACKAGES = ("seedbed", "jobs", "dataprep")
TIMEOUT_S = 120.0  # for a node to start a process and import what it needs from a cold disk


@dataclass(frozen=True)
class _Answer:
    software: dict[str, str]
    unseen: list[str]  # paths that are not there, or hold something else


def require_equal_nodes(store: Store, sources: Sequence[Path]) -> None:
    """Raises UsageError where a node has other software than this machine, or does not see the store or a source, and
    InfrastructureError where one does not answer."""
    nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    here = software()
    probe = f"{TEMPORARY}nodes-{uuid.uuid4().hex}"  # a name that `gc` takes for what was never finished
    store.write(probe, probe.encode())
    try:
        answers = _ask(nodes, store.url, probe, [str(path) for path in sources])
    finally:
        store.delete(probe)
    problems = [problem for node, answer in answers.items() if (problem := _problem(nodes[node], answer, here, store))]
    if problems:
        raise UsageError("the cluster cannot do this run:\n" + "\n".join(f"  {problem}" for problem in problems))


def software() -> dict[str, str]:
    """What must be the same on every node: Python, the packages that Seedbed needs, and Seedbed's own source."""
    found = {"Python": platform.python_version(), "Seedbed's code": _code_digest()}
    for requirement in declared():
        try:
            found[requirement.name] = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found[requirement.name] = "not installed"
    return found


def _code_digest() -> str:
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            return f"no package {package}"
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _ask(nodes: dict[str, str], store_url: str, probe: str, sources: list[str]) -> dict[str, Any]:
    """What each node says: an _Answer, or the message of what went wrong there."""

    def answer() -> Any:  # local, so that Ray sends its code: a node may not have this module
        from jobs.nodes import answer_here

        return answer_here(store_url, probe, sources)

    task = ray.remote(num_cpus=0, max_retries=0)(answer)
    asked = {
        node: task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote()
        for node in nodes
    }
    answered, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=TIMEOUT_S)
    silent = [nodes[node] for node, reference in asked.items() if reference not in answered]
    if silent:
        raise InfrastructureError(
            f"no answer within {TIMEOUT_S:.0f} s from {', '.join(silent)}: look at the node's Ray, or take it out of"
            " the cluster"
        )
    answers: dict[str, Any] = {}
    for node, reference in asked.items():
        try:
            answers[node] = ray.get(reference)
        except RayError as error:
            answers[node] = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
    return answers


def answer_here(store_url: str, probe: str, sources: list[str]) -> _Answer:
    """On a node: its software, and what it does not see."""
    unseen = [path for path in sources if not Path(path).exists()]
    store = Store(store_url)
    if not store.exists(probe) or store.read(probe) != probe.encode():
        unseen.append(store_url)
    return _Answer(software(), unseen)


def _problem(address: str, answer: Any, here: dict[str, str], store: Store) -> str | None:
    if not isinstance(answer, _Answer):
        return f"node {address}: {answer}; install there what is here, at the same version"
    other = {name: found for name, found in answer.software.items() if found != here.get(name)}
    if other:
        told = ", ".join(f"{name} {found} (here {here.get(name)})" for name, found in sorted(other.items()))
        return f"node {address} has {told}; give all nodes the same image"
    if store.url in answer.unseen:
        return (
            f"node {address} does not see the store {store.url} as this machine does: take a store that all nodes"
            " reach (s3://..., or a shared folder at the same path)"
        )
    if answer.unseen:
        return f"node {address} does not see the source {answer.unseen[0]}: put it where all nodes read it"
    return None
