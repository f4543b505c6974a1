"""What the controller knows of a cluster from its looks so far."""

import time
from dataclasses import dataclass

from seedbed.cluster_api import cure_of_silence
from seedbed.controller import alarm_rules
from seedbed.controller.cluster_look import ClusterLook
from seedbed.controller.queue import Room
from seedbed.errors import SeedbedError
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState

UNREACHABLE_PROBES, UNREACHABLE_AFTER_S = 3, 10.0
"""So often, and for so long, it must not answer to be called unreachable."""


@dataclass
class ClusterWatch:
    """The newest answer, and since when there is none."""

    look: ClusterLook | None = None
    asked_at: float = 0.0
    num_failed: int = 0
    failing_since: float = 0.0
    fault: str | None = None

    def hear(self, result: ClusterLook | BaseException) -> None:
        if isinstance(result, ClusterLook):
            self.look, self.num_failed, self.fault = result, 0, None
            return
        self.failing_since = self.failing_since if self.num_failed else time.time()
        self.num_failed += 1
        ours = isinstance(result, SeedbedError)
        self.fault = str(result) if ours else f"{type(result).__name__}: {result}"

    @property
    def answers(self) -> bool:
        return self.look is not None and not self.num_failed

    @property
    def failing_s(self) -> float:
        return time.time() - self.failing_since if self.num_failed else 0.0

    @property
    def is_unreachable(self) -> bool:
        return self.num_failed >= UNREACHABLE_PROBES and self.failing_s >= UNREACHABLE_AFTER_S

    def state(self, row: Cluster) -> ClusterState:
        """As the registry should have it; taken down on purpose it stays so."""
        if row.state == ClusterState.DOWN:
            return ClusterState.DOWN
        if self.is_unreachable:
            return ClusterState.UNREACHABLE
        return ClusterState.UP if self.answers else row.state

    def room(self, row: Cluster) -> Room:
        if row.state == ClusterState.DOWN:
            return Room(0, 0, "which is down: `seedbed cluster up`")
        if self.look is None or self.num_failed:
            silent = f"which does not answer ({self.fault}): `{cure_of_silence(row)}`"
            return Room(0, 0, silent if self.fault else "which was not asked yet")
        return self.look.room()

    def alarm(self, row: Cluster) -> alarm_rules.DueAlarm | None:
        if row.state == ClusterState.DOWN or not self.is_unreachable:
            return None
        return alarm_rules.cluster_unreachable(row.name, self.fault or "", self.failing_s, cure_of_silence(row))
