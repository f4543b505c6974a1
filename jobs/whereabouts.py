"""Which node does which unit, on a cluster of several: who knows where a unit is also knows when it is lost."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

LOOK_EVERY_S = 2.0


class Nodes:
    """The cluster's nodes, as Ray last told. Where there is but one, nothing is chosen and nothing can be lost."""

    def __init__(self) -> None:
        self._looked_at = -LOOK_EVERY_S
        self._resources: dict[str, dict[str, float]] = {}  # of each node that is alive

    def alive(self) -> set[str]:
        """Ids of the nodes that are alive."""
        import ray

        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._resources = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
            self._looked_at = time.monotonic()
        return set(self._resources)

    def choose(self, taken: Sequence[str | None], num_gpus: int) -> str | None:
        """The node for the next unit, when there are units at the nodes `taken`: the one with most CPUs left."""
        if len(self.alive()) < 2:
            return None
        num_units = Counter(taken)
        fitting = {
            node: found.get("CPU", 0.0) - num_units[node]
            for node, found in self._resources.items()
            if found.get("CPU", 0.0) >= 1 and found.get("GPU", 0.0) >= num_gpus
        }
        return max(sorted(fitting), key=lambda node: fitting[node], default=None)

    @staticmethod
    def strategy(node: str | None) -> dict[str, Any]:
        """What Ray is told so that a task runs on that node."""
        if node is None:
            return {}
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}
