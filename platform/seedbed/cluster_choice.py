"""Which of the registered clusters a job goes to, and what it looks like now."""

import time
from collections.abc import Sequence

from seedbed.cluster_api import api_of, cure_of_silence
from seedbed.errors import RayError, UsageError
from seedbed.programs import typed
from seedbed.ray_api import RayApi
from seedbed.ray_node import Gpu, Node
from seedbed.registry.records import Cluster, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import ClusterState

SNAPSHOT_IS_OLD_S = 60.0


def choose(registry: Registry, name: str | None, address: str | None) -> Cluster:
    """The cluster of this name, of this address, or the only one that is up. Raises UsageError."""
    rows = registry.clusters()
    if address is not None:
        wanted = RayApi(address).address
        found = [row for row in rows if row.address == wanted]
        if not found:
            raise UsageError(
                f"--address {wanted} is not registered: seedbed cluster up --address {wanted} --token-file FILE"
            )
        chosen = found[0]
        if name is not None and chosen.name != name:
            raise UsageError(f"--address {wanted} is the cluster {chosen.name}, not {name}: give one of the two")
    elif name is not None:
        chosen = registry.cluster(name)
    else:
        up = [row for row in rows if row.state != ClusterState.DOWN]
        if len(up) > 1:
            raise UsageError(f"which cluster? {', '.join(row.name for row in up)} are up: name one with --cluster")
        if not up:
            raise UsageError("no cluster is up: `seedbed cluster up` starts one on this machine")
        chosen = up[0]
    if chosen.state == ClusterState.DOWN:
        raise UsageError(f"the cluster {chosen.name} is down: `seedbed cluster up` first")
    return chosen


def nodes_of(cluster: Cluster) -> tuple[Sequence[Node], str | None]:
    """Its nodes, and why they may be other than that: nobody could be asked now.

    Ray is asked where this machine has the token; else the controller's last look counts. Raises UsageError for a Ray
    that lets everybody in.
    """
    try:
        api = api_of(cluster)
    except UsageError as error:  # the controller's machine has it, and this one has not
        known, age = _as_last_seen(cluster)
        if not known:
            return [], f"the resources of {cluster.name} could not be checked: {error}"
        is_old = age > SNAPSHOT_IS_OLD_S
        return known, f"the resources of {cluster.name} are those of {age:.0f} s ago: {error}" if is_old else None
    try:
        api.require_token_auth()
        nodes = api.nodes()
    except RayError as error:
        return _without_answer(cluster, str(error))
    return (nodes, None) if any(node.alive for node in nodes) else _without_answer(cluster, "none of its nodes lives")


def what_it_waits_for(registry: Registry, job: Job) -> str | None:
    """Why a job that was put into the queue now cannot start, as far as its cluster is the cause; None where nothing
    stands against it."""
    cluster = next((row for row in registry.clusters() if row.name == job.cluster), None)
    if cluster is None:
        return f"the cluster {job.cluster} is not registered any more: the job waits until it is"
    if cluster.state == ClusterState.DOWN:
        return f"the cluster {cluster.name} is down: the job waits until `{typed('seedbed cluster up')}`"
    try:
        return nodes_of(cluster)[1]
    except UsageError as error:
        return str(error)


def _without_answer(cluster: Cluster, why: str) -> tuple[Sequence[Node], str]:
    known, age = _as_last_seen(cluster)
    taken = f"its resources are taken as they were {age:.0f} s ago" if known else "its resources could not be checked"
    cure = typed(cure_of_silence(cluster))
    return known, f"the cluster {cluster.name} does not answer: {why}; {taken}, and a job waits until it does: `{cure}`"


def _as_last_seen(cluster: Cluster) -> tuple[Sequence[Node], float]:
    """Its nodes when the controller looked, and how long ago that was, in seconds."""
    snapshot = cluster.snapshot
    return [_node(node) for node in snapshot.get("nodes") or ()], time.time() - float(snapshot.get("at", 0.0))


def _node(value: dict[str, object]) -> Node:
    gpus = value.get("gpus") or ()
    assert isinstance(gpus, list | tuple)
    return Node(**(value | {"gpus": tuple(Gpu(**gpu) for gpu in gpus)}))  # type: ignore[arg-type]
