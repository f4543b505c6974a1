"""A look at a cluster: does its Ray answer, which attempts does it know, what has it and what is in use."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.cluster_api import api_of
from seedbed.controller.judge import RayWord
from seedbed.controller.queue import Room
from seedbed.errors import RayAnswered
from seedbed.ray_node import Node
from seedbed.registry.records import Cluster


@dataclass(frozen=True)
class ClusterLook:
    """What Ray answered."""

    began_at: float
    ended_at: float
    session: str  # another one: the head was started anew
    version: str
    words: dict[str, RayWord | None]  # by submission id, of each that was asked for; None: Ray does not know it
    nodes: list[Node] = field(default_factory=list)
    untold: dict[str, str] = field(default_factory=dict)  # what Ray said instead of a word, by submission id

    def room(self) -> Room:
        alive = [node.resources_total for node in self.nodes if node.alive]
        cpus, gpus = (sum(total.get(kind, 0.0) for total in alive) for kind in ("CPU", "GPU"))
        return Room(cpus, gpus, None if alive else "which has no living node")

    def snapshot(self) -> dict[str, Any]:
        """For those who read the registry: nodes as `Node.to_json` has them."""
        return {
            "at": self.ended_at,
            "ray_version": self.version,
            "session": self.session,
            "nodes": [node.to_json() for node in self.nodes],
        }


def look_at_cluster(cluster: Cluster, known_session: str | None, submission_ids: Sequence[str]) -> ClusterLook:
    """Ask Ray. A head that is new to us must refuse whoever has no token. Raises RayError and UsageError.

    It is asked for each attempt by itself: its list of jobs has all that there ever were, with what they printed last.
    One that it cannot tell of has no word, and says nothing of the cluster.
    """
    began_at = time.time()
    api = api_of(cluster)
    version = api.version()
    session = str(version.get("session_name", ""))
    if session != known_session:
        api.require_token_auth()
    words: dict[str, RayWord | None] = {}
    untold: dict[str, str] = {}
    for submission_id in submission_ids:
        try:
            words[submission_id] = _word(api.job(submission_id))
        except RayAnswered as error:
            untold[submission_id] = str(error)
    return ClusterLook(began_at, time.time(), session, str(version.get("ray_version", "")), words, api.nodes(), untold)


def _word(job: dict[str, Any] | None) -> RayWord | None:
    if job is None:
        return None
    return RayWord(str(job["status"]), str(job.get("message") or ""), job.get("driver_exit_code"))
