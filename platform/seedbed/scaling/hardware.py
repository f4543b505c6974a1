"""What datasheets say of devices, from hardware.toml. What it does not say is unknown."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seedbed.runfile.cluster import ClusterConfig

TABLE = Path(__file__).with_name("hardware.toml")
_PEAK = "_flops_per_second"


@dataclass(frozen=True)
class Device:
    """One device of the table."""

    name: str
    peak_flops_per_second: dict[str, float]  # precision -> dense peak; a precision that is missing is unknown
    memory_bytes: int | None
    sources: dict[str, str]  # column of the table -> where its number comes from


@cache
def devices() -> dict[str, Device]:
    """Every known device by name."""
    with TABLE.open("rb") as file:
        table = tomllib.load(file)
    return {name: _device(name, row) for name, row in table.items()}


def memory_of(cluster: ClusterConfig) -> int | None:
    """Bytes of one of the run's devices: as stated, else by the table; None where neither says."""
    if cluster.device_memory_bytes is not None:
        return int(cluster.device_memory_bytes)
    if cluster.hardware is None or cluster.device == "cpu":
        return None
    return devices()[cluster.hardware].memory_bytes


def _device(name: str, row: dict[str, dict[str, str | float]]) -> Device:
    memory = row.get("memory_bytes")
    return Device(
        name,
        {key.removesuffix(_PEAK): float(cell["value"]) for key, cell in row.items() if key.endswith(_PEAK)},
        None if memory is None else int(float(memory["value"])),
        {key: str(cell["source"]) for key, cell in row.items()},
    )
