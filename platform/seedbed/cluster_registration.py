"""Clusters that are up elsewhere: put into the registry, taken out of use again."""

import stat
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from seedbed import cluster_record
from seedbed.cluster_record import LocalCluster
from seedbed.errors import InfrastructureError, UsageError
from seedbed.local_cluster import ACTOR, Say, own_host, require_not_another_machines, start_services
from seedbed.ray_api import RayApi, read_token
from seedbed.registry.records import Cluster
from seedbed.registry.registry import Registry
from seedbed.registry.states import ClusterState
from seedbed.runfile.tracking import check_uri
from seedbed.state import StateDirectory


def register(
    state: StateDirectory,
    registry: Registry,
    registry_url: str | None,
    *,
    name: str,
    address: str,
    token_file: Path | None,
    mlflow_uri: str | None,
    say: Say,
) -> bool:
    """Put the Ray whose job server is at `address` into the registry, and see to it that a controller runs here.

    False where it stood there already. Raises UsageError for an MLflow that no run can be sent to and for a Ray that
    answers without a token, RayRefused when it does not take this one, RayUnreachable when nobody answers.
    """
    if mlflow_uri is not None:
        _require_usable(mlflow_uri)
    api = RayApi(address)
    api.require_token_auth()
    if token_file is None:
        raise UsageError(f"the Ray at {api.address} wants a token: name the file that holds it with --token-file")
    _require_private(token_file)
    api = RayApi(address, read_token(token_file))
    api.version()
    if not any(node.alive for node in api.nodes()):
        raise InfrastructureError(f"the Ray at {api.address} has no living node")
    local = cluster_record.read(state)
    if local is not None and local.name == name:
        raise UsageError(f"{name} is the cluster of this machine: choose another --name")
    known = next((row for row in registry.clusters() if row.name == name), None)
    require_not_another_machines(known)
    host = urlsplit(api.address).hostname or ""
    row = Cluster(
        name=name,
        address=api.address,
        gcs_address=known.gcs_address if known else "",
        state=ClusterState.UP,
        mlflow_uri=mlflow_uri if mlflow_uri is not None else (known.mlflow_uri if known else None),
        token_file=str(token_file.resolve()),
        host=own_host(registry) if host == "localhost" or host.startswith("127.") else None,
        heard_at=time.time(),
    )
    same = ("address", "state", "mlflow_uri", "token_file", "host")
    changed = known is None or any(getattr(known, field) != getattr(row, field) for field in same)
    if changed:
        registry.save_cluster(row, reason="registered", actor=ACTOR)
    with state.lease("cluster", on_wait=lambda holder: say(f"waiting for another `seedbed cluster`: {holder}")):
        # Without a Ray: this machine's may be down on purpose.
        here = replace(local, name=None) if local else _controller_alone(state)
        started = start_services(here, registry, registry_url, say)
    return changed or started


def _controller_alone(state: StateDirectory) -> LocalCluster:
    folder = cluster_record.cluster_folder(state)
    (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    cluster = LocalCluster(folder, None, None, None, None, {})
    cluster_record.write(cluster)
    return cluster


def _require_usable(mlflow_uri: str) -> None:
    """As a run file's: jobs are told of it in their command, which everybody who reaches the Ray may read."""
    try:
        check_uri(mlflow_uri)
    except ValueError as error:
        raise UsageError(f"--mlflow-uri: {error}") from error


def _require_private(token_file: Path) -> None:
    try:
        mode = stat.S_IMODE(token_file.stat().st_mode)
    except OSError as error:
        raise UsageError(
            f"cannot read the token file {token_file}: {error.strerror}; name a file that this user may read"
        ) from error
    if mode & 0o077:
        raise UsageError(f"others can read the token file {token_file} (mode {mode:o}): `chmod 600 {token_file}`")


def forget(registry: Registry, name: str) -> bool:
    """Mark a registered cluster as down, and leave its Ray alone; False where it was. Raises UsageError for none."""
    row = registry.cluster(name)
    if row.state == ClusterState.DOWN:
        return False
    registry.update_cluster(
        name, state=ClusterState.DOWN, actor=ACTOR, reason="taken out of use; its Ray is left alone"
    )
    return True
