"""`python -m benchmarks.training`: see README.md beside this."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.report import facts, row, table
from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.runfile.yaml_tree import read_tree
from seedbed.scaling.hardware import devices
from seedbed.scaling.memory import memory_per_rank

MODELS = Path(__file__).parents[2] / "configs" / "models"
SHIPPED = ("gpt2-125m", "gpt2-350m", "gpt2-1.3b")
MAX_MICRO_BATCH = 64
POLL_INTERVAL_S = 0.1
FILL = 0.85  # of the device's memory, by the plan, which is good to a tenth


def main(argv: list[str] | None = None) -> int:
    """Measure each model in fresh processes; one that fails is reported, and the others go on."""
    options = _parse(argv)
    rows, failed = [], False
    for name in options.models:
        model = ModelConfig.model_validate(read_tree(MODELS / f"{name}.yaml", name).value)
        training = _training(model, options)
        measured = _measure(model, training, options)
        failed = failed or "error" in measured
        rows.append(row(name, model, training, options.ranks, options.hardware, measured))
        print(table(rows[-1:], heading=len(rows) == 1), flush=True)
    result = facts(options.device) | {"command": sys.argv, "options": vars(options), "rows": rows}
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n")
    return int(failed)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    known = sorted(path.stem for path in MODELS.glob("*.yaml"))
    parser.add_argument("--models", nargs="+", default=list(SHIPPED), choices=known, metavar="MODEL")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--hardware", choices=sorted(devices()), help="what the device is: MFU needs its peak")
    parser.add_argument("--ranks", type=int, default=1, help="processes, one device each")
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="bf16")
    parser.add_argument("--zero-stage", type=int, choices=(0, 1, 2, 3), default=1)
    parser.add_argument("--recompute", action="store_true", help="activation checkpointing")
    parser.add_argument("--micro-batch", type=int, help="sequences; by default the most that the plan says will fit")
    parser.add_argument("--accumulation", type=int, default=2, help="micro batches of a step")
    parser.add_argument("--steps", type=int, default=20, help="timed steps")
    parser.add_argument("--warmup", type=int, default=5, help="steps before those")
    parser.add_argument("--out", help="JSON file for the results")
    return parser.parse_args(argv)


def _training(model: ModelConfig, options: argparse.Namespace) -> TrainingConfig:
    def with_micro_batch(sequences: int) -> TrainingConfig:
        return TrainingConfig(
            num_steps=options.warmup + options.steps,
            global_batch_tokens=options.accumulation * options.ranks * sequences * model.sequence_length,
            micro_batch_sequences=sequences,
            zero_stage=options.zero_stage,
            precision=options.precision,
            activation_checkpointing=options.recompute,
            learning_rate=1e-4,
        )

    if options.micro_batch is not None:
        return with_micro_batch(options.micro_batch)
    device = devices().get(options.hardware or "")
    available = device.memory_bytes if device is not None else None
    sequences = MAX_MICRO_BATCH
    while sequences > 1:
        training = with_micro_batch(sequences)
        layout = batch_layout(training, model.sequence_length, options.ranks)
        if available is not None and memory_per_rank(model, training, layout).total <= available * FILL:
            break
        sequences //= 2
    return with_micro_batch(sequences)


def _measure(model: ModelConfig, training: TrainingConfig, options: argparse.Namespace) -> dict[str, Any]:
    """What rank 0 measured, or `error` with the end of what a rank said."""
    with tempfile.TemporaryDirectory() as folder:
        task = {
            "model": model.model_dump(),
            "training": training.model_dump(),
            "device": options.device,
            "num_ranks": options.ranks,
            "warmup": options.warmup,
            "folder": folder,
        }
        (Path(folder) / "task.json").write_text(json.dumps(task))
        ranks = [_start(folder, rank, options.device) for rank in range(options.ranks)]
        failed = first_failed(ranks)
        if failed is not None:
            rank, code = failed
            said = (Path(folder) / f"{rank}.log").read_text().strip().splitlines() or [""]
            return {"error": f"rank {rank} left with {code}: {said[-1]}"}
        measured: dict[str, Any] = json.loads((Path(folder) / "measured.json").read_text())
        return measured


def first_failed(ranks: Sequence[subprocess.Popen[bytes]]) -> tuple[int, int] | None:
    """Wait for all; the first that left with another code than 0, and that code. Who would wait for it is killed."""
    waiting = dict(enumerate(ranks))
    try:
        while waiting:
            for rank, process in list(waiting.items()):
                code = process.poll()
                if code:
                    return rank, code
                if code == 0:
                    del waiting[rank]
            time.sleep(POLL_INTERVAL_S)
        return None
    finally:
        for process in ranks:
            if process.poll() is None:
                process.kill()
                process.wait()


def _start(folder: str, rank: int, device: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"DS_ACCELERATOR": device, "LOCAL_RANK": "0"}
    if device == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        environment["CUDA_VISIBLE_DEVICES"] = visible.split(",")[rank] if visible else str(rank)
    with (Path(folder) / f"{rank}.log").open("wb") as log:
        command = [sys.executable, "-m", "benchmarks.training.rank", folder, str(rank)]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


if __name__ == "__main__":
    sys.exit(main())
