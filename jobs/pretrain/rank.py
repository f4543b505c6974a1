"""The actor that holds one rank's process. It imports torch and DeepSpeed there, never in the driver."""

import os
import socket
import warnings
from datetime import timedelta

import ray

from jobs.pretrain.task import TrainTask

PROCESS_GROUP_TIMEOUT = timedelta(minutes=10)  # DeepSpeed's default went from 30 to 10; a dead peer is noticed at once


class Rank:
    """One rank: given an address, it joins the others and trains to the end."""

    def __init__(self, task: TrainTask, token: str, number: int, environment: dict[str, str]) -> None:
        self._task, self._token = task, token
        self._number = number
        os.environ.update(environment)
        os.environ["DS_ACCELERATOR"] = task.cluster.device  # DeepSpeed would look around and warn
        os.environ["OMP_NUM_THREADS"] = str(task.cluster.threads_per_rank)

    def address(self) -> str:
        """Where the others can meet this rank."""
        return free_address()

    def run(self, address: str) -> None:
        """Train to the end; raises what stopped it."""
        join_group(address, self._number, self._task.cluster.training_ranks, self._task.cluster.device)
        from jobs.pretrain.worker import train_rank

        train_rank(self._task, self._token)


def free_address() -> str:
    """`host:port` of this node, with a port that is free now."""
    with socket.socket() as s:
        s.bind(("", 0))
        return f"{ray.util.get_node_ip_address()}:{s.getsockname()[1]}"


def join_group(address: str, number: int, num_ranks: int, device: str) -> None:
    """Make this process rank `number` of torch.distributed's group that meets at `address`; waits for the others."""
    # Torch 2.13 renamed a call that DeepSpeed 0.19 makes: no news for the user.
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
    import torch.distributed as dist

    host, port = address.rsplit(":", 1)
    # DeepSpeed reads these even where the group is there already. Ray shows each rank its own GPU alone: 0.
    group = {"MASTER_ADDR": host, "MASTER_PORT": port, "RANK": number, "WORLD_SIZE": num_ranks, "LOCAL_RANK": 0}
    os.environ.update({name: str(value) for name, value in group.items()})
    backend = "nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PROCESS_GROUP_TIMEOUT, rank=number, world_size=num_ranks)
