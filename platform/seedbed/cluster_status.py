"""How the clusters of a registry are, asked now: each part up or down since when, and what to type next."""

from dataclasses import asdict, dataclass
from typing import Any

from seedbed import cluster_record, processes
from seedbed.cluster_api import api_of, is_of_another_machine
from seedbed.cluster_record import LocalCluster
from seedbed.cluster_services import RAY, Service, services
from seedbed.errors import SeedbedError
from seedbed.ray_api import RayApi, read_token
from seedbed.ray_node import Node
from seedbed.registry.records import Cluster
from seedbed.registry.registry import Registry
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory

UP, DOWN, SILENT = "up", "down", "silent"


@dataclass(frozen=True)
class Part:
    """Something that is to run: `up`; `down` without a process; `silent` with a process that does not answer."""

    name: str  # ray, mlflow, controller, job server
    state: str
    since: float | None  # seconds since the epoch: when its process started
    address: str
    found: str  # why it is not up
    cure: str  # what to type


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster, or (`name` None) what runs on this machine for clusters that are elsewhere."""

    name: str | None
    here: bool  # its Ray is this machine's
    parts: list[Part]
    nodes: list[Node]

    @property
    def is_up(self) -> bool:
        return all(part.state == UP for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "up": self.is_up}


def cluster_status(state: StateDirectory, registry: Registry, registry_url: str | None) -> list[ClusterStatus]:
    """The cluster of this state directory, and those that are registered and not taken down."""
    local = cluster_record.read(state)
    found = []
    if local is not None:
        found.append(_local(local, services(local, registry, registry_url)))
    for row in registry.clusters():
        if row.state != ClusterState.DOWN and (local is None or row.name != local.name):
            found.append(_elsewhere(row))
    return found


def _local(cluster: LocalCluster, wanted: list[Service]) -> ClusterStatus:
    parts = [_part(cluster, service) for service in wanted]
    nodes: list[Node] = []
    if any(part.name == RAY and part.state == UP for part in parts):
        nodes = RayApi(cluster.job_server, read_token(cluster.token_file)).nodes()
    return ClusterStatus(cluster.name, cluster.has_ray, parts, nodes)


def _part(cluster: LocalCluster, service: Service) -> Part:
    pid = cluster.pid(service.name)
    process = processes.find(pid, cluster.mark(service.name)) if pid is not None else None
    since = process.create_time() if process else None
    fault = service.fault() if process else f"no process; its log is {cluster.log(service.name)}"
    if fault is None:
        return Part(service.name, UP, since, service.address, "", "")
    state = SILENT if process else DOWN
    return Part(service.name, state, since, service.address, fault, "seedbed cluster up")


def _elsewhere(row: Cluster) -> ClusterStatus:
    if is_of_another_machine(row):
        is_up = row.state == ClusterState.UP
        found = "" if is_up else f"{row.host} alone can ask it; as its controller says, it is {row.state}"
        part = Part(RAY, UP if is_up else DOWN, None, row.address, found, f"seedbed cluster up (on {row.host})")
        return ClusterStatus(row.name, False, [part], [])
    again = f"seedbed cluster up --name {row.name} --address {row.address} --token-file FILE"
    try:
        api = api_of(row)
        api.version()
        nodes = api.nodes()
    except SeedbedError as error:
        return ClusterStatus(row.name, False, [Part(RAY, DOWN, None, row.address, str(error), again)], [])
    return ClusterStatus(row.name, False, [Part(RAY, UP, None, row.address, "", "")], nodes)
