"""What a submitted run reserves of a cluster, and whether the cluster can ever give it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.errors import UsageError
from seedbed.ray_node import Node
from seedbed.runfile.cluster import ClusterConfig


@dataclass(frozen=True)
class Reservation:
    """What the queue sets aside for a job as long as it is on the cluster."""

    cpus: float
    gpus: float


def reservation(config: ClusterConfig) -> Reservation:
    """Data steps and training take turns: the larger of the two, in CPUs; a GPU a rank where it trains on GPUs."""
    cpus = max(config.data_workers, config.training_ranks * config.threads_per_rank)
    return Reservation(float(cpus), float(config.training_ranks if config.device == "cuda" else 0))


def reserve(config: ClusterConfig, name: str, nodes: Sequence[Node]) -> Reservation:
    """What the run reserves of these nodes. A run that can train on fewer ranks reserves at most what there is.

    Raises UsageError, with the arithmetic, for what they can never give.
    """
    alive = [node for node in nodes if node.alive]
    wanted = reservation(config)
    cpus, gpus = (sum(node.resources_total.get(kind, 0.0) for node in alive) for kind in ("CPU", "GPU"))
    least = config.min_training_ranks or config.training_ranks
    key = "training_ranks" if config.min_training_ranks is None else "min_training_ranks"
    threads = config.threads_per_rank
    there = f"{name} has {len(alive)} {'node' if len(alive) == 1 else 'nodes'} with {cpus:g} CPUs and {gpus:g} GPUs"
    if config.data_workers > cpus:
        raise UsageError(
            f"cluster.data_workers {config.data_workers}: that many CPUs at once, but {there}:"
            f" --set cluster.data_workers={int(cpus)}"
        )
    if least * threads > cpus:
        raise UsageError(
            f"cluster.{key}: {least} ranks x {threads} threads = {least * threads} CPUs, but {there}: take fewer, or a"
            " larger cluster"
        )
    most = max((node.resources_total.get("CPU", 0.0) for node in alive), default=0.0)
    if threads > most:
        raise UsageError(
            f"cluster.threads_per_rank {threads}: a rank is on one node, and the largest of {name} has {most:g} CPUs"
        )
    if config.device == "cuda" and least > gpus:
        cure = "take fewer ranks" if gpus else "take cluster.device: cpu, or a cluster that has GPUs"
        raise UsageError(f"cluster.{key}: {least} ranks x 1 GPU = {least} GPUs, but {there}: {cure}")
    return Reservation(min(wanted.cpus, cpus), min(wanted.gpus, gpus))
