"""One machine of a Ray cluster, as Ray's dashboard describes it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_MEGABYTE = 1 << 20  # what Ray calls one: NVML's bytes, shifted (ray/dashboard/modules/reporter/gpu_providers.py)
# `1.0/4.0 CPU`, behind it perhaps `(1.0 used of 2.0 reserved in placement groups)`: ray/autoscaler/_private/util.py
_USAGE = re.compile(r"([\d.]+)/([\d.]+) (\S+)(?: \(([\d.]+) used of ([\d.]+) reserved in placement groups\))?")


@dataclass(frozen=True)
class Gpu:
    """A GPU of a node, as its driver reports it."""

    index: int
    name: str
    percent: float | None  # of the time that a kernel ran
    memory_used_bytes: int
    memory_total_bytes: int

    @classmethod
    def from_summary(cls, gpu: Mapping[str, Any]) -> "Gpu":
        used, total = (int(gpu[key]) * _MEGABYTE for key in ("memoryUsed", "memoryTotal"))
        return cls(int(gpu["index"]), str(gpu["name"]), gpu.get("utilizationGpu"), used, total)


@dataclass(frozen=True)
class Node:
    """A node of Ray. Resources are what Ray gives out by name (CPU, GPU ..); memory and disk are the machine's."""

    id: str  # hexadecimal
    address: str
    hostname: str
    alive: bool
    is_head: bool
    reason: str | None  # why it died
    resources_total: dict[str, float]
    resources_used: dict[str, float]  # with what placement groups hold, whether they use it or not
    cpu_percent: float | None  # None in the next fields as well: Ray has not measured it yet
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    disk_total_bytes: int | None  # of the root file system
    disk_used_bytes: int | None
    gpus: tuple[Gpu, ...]

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any], usage: Mapping[str, str]) -> "Node":
        """From an element of `summary` and from `nodeLogicalResources` of `GET /nodes?view=summary`."""
        raylet = summary["raylet"]
        alive = raylet["state"] == "ALIVE"
        # By id or by address, as the autoscaler that fills it is the old or the new one.
        lines = usage.get(raylet["nodeId"]) or usage.get(raylet["nodeManagerAddress"]) or ""
        total, used = _resources(lines) if alive else ({}, {})
        memory = summary.get("mem") or (None, None, None, None)  # total, available, percent, used
        disk = (summary.get("disk") or {}).get("/") or {}
        return cls(
            id=raylet["nodeId"],
            address=raylet["nodeManagerAddress"],
            hostname=raylet.get("nodeManagerHostname") or "",
            alive=alive,
            is_head=bool(raylet.get("isHeadNode")),
            reason=raylet.get("stateMessage") or None,
            resources_total=total or _announced(raylet),
            resources_used=used,
            cpu_percent=summary.get("cpu"),
            memory_total_bytes=memory[0],
            memory_used_bytes=memory[3],
            disk_total_bytes=disk.get("total"),
            disk_used_bytes=disk.get("used"),
            gpus=tuple(Gpu.from_summary(gpu) for gpu in summary.get("gpus") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _resources(lines: str) -> tuple[dict[str, float], dict[str, float]]:
    total, used = {}, {}
    for in_use, there, name, in_group, of_group in _USAGE.findall(lines):
        total[name] = float(there)
        used[name] = float(in_use) + (float(of_group) - float(in_group) if of_group else 0.0)
    return total, used


def _announced(raylet: Mapping[str, Any]) -> dict[str, float]:
    """What the node said that it has when it joined: known before the first count of what is used."""
    return {name: float(number) for name, number in raylet.get("resourcesTotal", {}).items() if name in ("CPU", "GPU")}
