"""What was measured, beside what the plan says of it."""

import platform
import statistics
import time
from importlib.metadata import version
from typing import Any

from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling import memory_per_rank, model_flops_per_token, parameter_counts
from seedbed.scaling.hardware import devices

GIB = 1 << 30
COLUMNS = (
    ("model", 12), ("params", 15), ("micro", 6), ("tokens/s", 12), ("MFU", 8), ("peak GiB", 9), ("plan GiB", 9),
    ("plan/peak", 10),
)  # fmt: skip


def facts(device: str) -> dict[str, Any]:
    """On what it was measured."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" and torch.cuda.is_available() else platform.processor()
    return {
        "device": name or platform.machine(),
        "versions": {package: version(package) for package in ("torch", "deepspeed", "numpy")}
        | {"python": platform.python_version(), "cuda": torch.version.cuda},
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def row(
    name: str,
    model: ModelConfig,
    training: TrainingConfig,
    num_ranks: int,
    hardware: str | None,
    measured: dict[str, Any],
) -> dict[str, Any]:
    """One model's numbers; MFU is null without a known peak. With `error` nothing was measured."""
    planned = memory_per_rank(model, training, batch_layout(training, model.sequence_length, num_ranks))
    known = {
        "model": name,
        "parameters": parameter_counts(model).total,
        "micro_batch_sequences": training.micro_batch_sequences,
        "planned_memory_bytes": planned.total,
        "planned_memory_by_component": planned.by_component(),
    }
    if "error" in measured:
        return known | measured
    seconds = statistics.median(measured["seconds"])
    rate = training.global_batch_tokens / seconds
    device = devices().get(hardware or "")
    peak = device.peak_flops_per_second.get(training.precision) if device is not None else None
    return known | {
        "seconds_per_step": seconds,
        "seconds_per_step_range": [min(measured["seconds"]), max(measured["seconds"])],
        "tokens_per_second": rate,
        "mfu": None if peak is None else rate * model_flops_per_token(model) / (num_ranks * peak),
        "loss": measured["loss"],
        "peak_memory_bytes": measured["peak_memory_bytes"],
    }


def table(rows: list[dict[str, Any]], heading: bool) -> str:
    """Lines for people."""
    lines = [_line([name for name, _ in COLUMNS])] if heading else []
    return "\n".join([*lines, *map(_row_line, rows)])


def _row_line(found: dict[str, Any]) -> str:
    start = [found["model"], f"{found['parameters']:,}", str(found["micro_batch_sequences"])]
    planned = found["planned_memory_bytes"]
    if "error" in found:
        return _line(start) + f"  failed, planned {planned / GIB:.2f} GiB: {found['error']}"
    mfu = "unknown" if found["mfu"] is None else f"{found['mfu']:.1%}"
    peak = found["peak_memory_bytes"]
    sizes = [f"{peak / GIB:.2f}", f"{planned / GIB:.2f}", f"{planned / peak:.2f}"]
    return _line([*start, f"{found['tokens_per_second']:,.0f}", mfu, *sizes])


def _line(cells: list[str]) -> str:
    return " ".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=False))
