"""One rank: `python -m benchmarks.training.rank FOLDER RANK`. Steps of the real engine on random tokens, timed."""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist

from jobs.pretrain.build import build_engine
from jobs.pretrain.engine import MicroBatch
from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


def main(folder: Path, rank: int) -> None:
    """Rank 0 writes measured.json: seconds of each timed step, the loss, and the peak of memory in bytes."""
    task = json.loads((folder / "task.json").read_text())
    model, training = ModelConfig(**task["model"]), TrainingConfig(**task["training"])
    on_cuda = task["device"] == "cuda"
    dist.init_process_group(
        "nccl" if on_cuda else "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=task["num_ranks"]
    )
    torch.manual_seed(rank)
    engine = build_engine(model, training, batch_layout(training, model.sequence_length, task["num_ranks"]))
    batches = _batches(model, training)
    seconds = []
    for _ in range(training.num_steps):
        started = time.monotonic()
        result = engine.step(batches, training.learning_rate)  # it ends with the loss on the host: no work is left
        if on_cuda:
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - started)
    if rank == 0:
        peak = torch.cuda.max_memory_allocated() if on_cuda else _resident_peak()
        measured = {"seconds": seconds[task["warmup"] :], "loss": result.loss, "peak_memory_bytes": peak}
        (folder / "measured.json").write_text(json.dumps(measured))
    dist.barrier()
    os._exit(0)  # what DeepSpeed does at its end takes seconds


def _batches(model: ModelConfig, training: TrainingConfig) -> Iterator[MicroBatch]:
    """Random tokens: their values cost the same as real ones, and no data is needed."""
    while True:
        rows = torch.randint(0, model.vocab_size, (training.micro_batch_sequences, model.sequence_length + 1))
        yield rows[:, :-1], rows[:, 1:]


def _resident_peak() -> int:
    """Of the whole process, with Python and torch."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
