"""The actor that holds one rank's process. It imports torch and DeepSpeed there, never in the driver.

Its methods of the group `channel` are answered by another thread than the one that trains.
"""

import importlib
import os
import shutil
import socket
import warnings
from dataclasses import replace
from datetime import timedelta

import psutil
import ray

from jobs.pretrain import attempt, stacks
from jobs.pretrain.channel import Channel, Heard
from jobs.pretrain.imports import load_deepspeed
from jobs.pretrain.output import Output
from jobs.pretrain.task import TrainTask

AFTER_HANG_WATCH_S = 300.0
"""By so much a collective call waits longer than the driver: given up first, the ranks would leave no stacks. A dead
peer is noticed at once; who only waits may wait for a rank that uploads, or reads the weights, alone."""

HEARD_WITHIN_S = 10.0
"""A driver that is busier than that hears of a start when it can."""


class Rank:
    """One rank: given an address, it joins the others and trains to the end."""

    def __init__(self, task: TrainTask, token: str, number: int, num_ranks: int, environment: dict[str, str]) -> None:
        self._task, self._token = task, token
        self._number, self._num_ranks = number, num_ranks
        self._channel = Channel(HEARD_WITHIN_S)
        self._output: Output | None = None
        os.environ.update(environment)
        os.environ["DS_ACCELERATOR"] = task.cluster.device  # DeepSpeed would look around and warn
        os.environ["OMP_NUM_THREADS"] = str(task.cluster.threads_per_rank)

    def prepare(self) -> stacks.Process:
        """Make this node ready, and say where the rank lives."""
        attempt.require(self._task, self._token)
        attempt.remove_older_staging(self._task, self._token)
        staging = attempt.staging(self._task, self._token)
        self._output = Output(staging, self._number)
        self._task.shards.fetch(lambda path: self._channel.progress(f"fetching {path}"))
        return stacks.listen(self._number, staging)

    def address(self) -> str:
        """Where the others can meet this rank."""
        return free_address()

    def run(self, address: str) -> int:
        """Train to the end, or until asked to stop: the step reached. Raises what stopped it."""
        self._channel.progress("loading torch")  # from a cold disk this takes a while, and is no hang
        importlib.import_module("torch.distributed")
        self._channel.progress("meeting the other ranks")
        hang_timeout_s = self._task.training.hang_timeout_s
        join_group(address, self._number, self._num_ranks, self._task.cluster.device, hang_timeout_s)
        self._channel.progress("loading DeepSpeed")
        load_deepspeed()
        from jobs.pretrain.worker import train_rank

        reached = train_rank(self._task, self._token, self._channel)
        shutil.rmtree(attempt.staging(self._task, self._token), ignore_errors=True)  # all ranks are past it by now
        return reached

    @ray.method(concurrency_group="channel")
    def exchange(self, confirmed: int, stop: str | None, printed: int = 0) -> Heard:
        """What is new (`Channel.exchange`); of what this process printed, the driver has `printed` bytes."""
        heard = self._channel.exchange(confirmed, stop)
        return heard if self._output is None else replace(heard, output=self._output.piece(printed))


def free_address() -> str:
    """`host:port` of this node, with a port that is free now."""
    with socket.socket() as s:
        s.bind(("", 0))
        return f"{ray.util.get_node_ip_address()}:{s.getsockname()[1]}"


def join_group(address: str, number: int, num_ranks: int, device: str, hang_timeout_s: float) -> None:
    """Make this process rank `number` of torch.distributed's group that meets at `address`; waits for the others."""
    # Torch 2.13 renamed a call that DeepSpeed 0.19 makes: no news for the user.
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
    import torch.distributed as dist
    from torch.distributed import distributed_c10d

    host, port = address.rsplit(":", 1)
    # DeepSpeed reads these even where the group is there already. Ray shows each rank its own GPU alone: 0.
    group = {"MASTER_ADDR": host, "MASTER_PORT": port, "RANK": number, "WORLD_SIZE": num_ranks, "LOCAL_RANK": 0}
    os.environ.update({name: str(value) for name, value in group.items()})
    interface = _interface(ray.util.get_node_ip_address())
    if interface is not None:
        # Left alone, gloo takes what the host's own name resolves to, which on many machines is a loopback.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", interface)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", interface)
    backend = "nccl" if device == "cuda" else "gloo"
    timeout = timedelta(seconds=hang_timeout_s + AFTER_HANG_WATCH_S)
    # DeepSpeed's own groups take these, and it has no setting for them.
    distributed_c10d.default_pg_timeout = distributed_c10d.default_pg_nccl_timeout = timeout
    dist.init_process_group(backend, timeout=timeout, rank=number, world_size=num_ranks)


def _interface(address: str) -> str | None:
    """The network interface that has this node's address, None where none says so."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(found.address == address for found in addresses):
            return name
    return None
