"""A cluster as pages show it: from the controller's last look, which says how old it is."""

from dataclasses import dataclass
from typing import Any

from seedbed.controller.silence import SILENT_AFTER_S
from seedbed.dashboard.rows import Row, job_row
from seedbed.dashboard.seen_state import SeenState
from seedbed.dashboard.watch import View
from seedbed.registry.records import Cluster
from seedbed.registry.states import ACTIVE, ClusterState, JobState

NEARLY_FULL = 0.9
"""Share of memory or disk in use that is worth a look."""


@dataclass(frozen=True)
class Use:
    """How much of something is in use; `total` 0 where there is none of it."""

    name: str
    used: float
    total: float
    is_bytes: bool = False

    @property
    def is_nearly_full(self) -> bool:
        """Of what runs out; all CPUs reserved is how it should be."""
        return self.is_bytes and self.used > NEARLY_FULL * self.total


@dataclass(frozen=True)
class ClusterView:
    """A cluster, its nodes and its jobs."""

    cluster: Cluster
    state: SeenState
    controller_state: SeenState
    nodes: list[dict[str, Any]]
    uses: list[Use]  # of the living nodes together
    running: list[Row]
    waiting: list[Row]  # the next one first

    def uses_of(self, node: dict[str, Any]) -> dict[str, Use]:
        """By name; nothing of a node that is dead."""
        return {use.name: use for use in uses([node])} if node.get("alive") else {}

    def work_on(self, node_id: str) -> list[tuple[Row, str]]:
        """Each job that is at work on this node, with what it has there: `driver, 2 ranks`."""
        return [(row, there) for row in self.running if (there := _there(row.heartbeat, node_id))]


def _there(heartbeat: dict[str, Any], node_id: str) -> str:
    told = ["driver"] if heartbeat.get("ray_node") == node_id else []
    for what, number in ((heartbeat.get("work_on") or {}).get(node_id) or {}).items():
        told.append(f"{number} {what if number != 1 else what.removesuffix('s')}")
    return ", ".join(told)


def cluster_views(view: View, now: float) -> list[ClusterView]:
    """One for each cluster, by name."""
    return [_view(view, cluster, now) for cluster in view.clusters]


def _view(view: View, cluster: Cluster, now: float) -> ClusterView:
    is_down = cluster.state == ClusterState.DOWN  # nothing runs on it, and the nodes of the last look are gone
    nodes: list[dict[str, Any]] = [] if is_down else cluster.snapshot.get("nodes") or []
    jobs = [job for job in view.jobs if job.cluster == cluster.name and job.state in ACTIVE]
    waiting = [job for job in jobs if is_down or job.state == JobState.QUEUED]
    running = [job for job in jobs if not is_down and job.state != JobState.QUEUED]
    return ClusterView(
        cluster,
        cluster_state(cluster, now),
        _controller_state(cluster, now),
        nodes,
        uses([node for node in nodes if node.get("alive")]),
        [job_row(view, job, now) for job in running],
        [job_row(view, job, now) for job in sorted(waiting, key=lambda job: (-job.priority, job.id))],
    )


def cluster_state(cluster: Cluster, now: float) -> SeenState:
    """Up only while somebody hears it."""
    if cluster.state == ClusterState.DOWN:
        return SeenState(cluster.state, "idle")
    if cluster.state == ClusterState.UNREACHABLE:
        return SeenState(cluster.state, "bad", "its Ray does not answer", cluster.heard_at)
    if cluster.heard_at is None:
        return SeenState("not heard", "warn", "nobody has heard it yet: is its controller running?")
    if now - cluster.heard_at > SILENT_AFTER_S:
        return SeenState("silent", "warn", "nothing was heard of it for a while", cluster.heard_at)
    return SeenState(cluster.state, "good", "", cluster.heard_at)


def _controller_state(cluster: Cluster, now: float) -> SeenState:
    at = cluster.controller.get("at")
    if at is None:
        return SeenState("none", "warn", "no controller has looked after it: nothing starts, nothing is followed")
    if now - at > SILENT_AFTER_S:
        return SeenState("silent", "warn", "its controller says nothing: nothing starts, nothing is followed", at)
    return SeenState("up", "good", "", at)


def uses(nodes: list[dict[str, Any]]) -> list[Use]:
    """CPUs, GPUs, memory and disk of these nodes together; what nobody has measured is left out."""
    found = []
    for name, label in (("CPU", "CPUs reserved"), ("GPU", "GPUs reserved")):
        total = sum((node.get("resources_total") or {}).get(name, 0.0) for node in nodes)
        used = sum((node.get("resources_used") or {}).get(name, 0.0) for node in nodes)
        found.append(Use(label, used, total))
    for name, label in (("memory", "Memory"), ("disk", "Disk")):
        total = sum(node.get(f"{name}_total_bytes") or 0 for node in nodes)
        used = sum(node.get(f"{name}_used_bytes") or 0 for node in nodes)
        found.append(Use(label, used, total, is_bytes=True))
    return [use for use in found if use.total]
