"""The actor that is one rank of a comparison. Torch and DeepSpeed are imported there, never in the driver."""

import os
import platform
from pathlib import Path

from jobs.pretrain.conform.case import Case
from jobs.pretrain.conform.result import CaseResult
from jobs.pretrain.imports import load_deepspeed
from jobs.pretrain.rank import free_address, join_group
from seedbed.runfile.cluster import ClusterConfig


class Member:
    """One rank: given an address, it joins the others and takes part in each case."""

    def __init__(self, cluster: ClusterConfig, number: int, hang_timeout_s: float) -> None:
        self._cluster, self._number, self._hang_timeout_s = cluster, number, hang_timeout_s
        os.environ["DS_ACCELERATOR"] = cluster.device  # DeepSpeed would look around and warn
        os.environ["OMP_NUM_THREADS"] = str(cluster.threads_per_rank)

    def address(self) -> str:
        """Where the others can meet this rank."""
        return free_address()

    def compare(self, address: str, cases: list[Case]) -> tuple[str, list[CaseResult]]:
        """The device's name, and on rank 0 what each case came to."""
        cluster = self._cluster
        join_group(address, self._number, cluster.training_ranks, cluster.device, self._hang_timeout_s)
        load_deepspeed()
        import torch

        from jobs.pretrain.conform.run import conform

        torch.set_num_threads(self._cluster.threads_per_rank)
        results = conform(cases, self._cluster.device)
        return torch.cuda.get_device_name() if self._cluster.device == "cuda" else _cpu_name(), results


def _cpu_name() -> str:
    """What the CPU calls itself; outside Linux its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
