"""The peak of a rank's memory, measured: `python peak_memory.py RANK NUM_RANKS CASES.json FOLDER`.

Each case is a model and a training of which the real engine takes two optimizer steps, one after the other. The peak
is the kernel's high-water mark (VmHWM) less what the process takes without a model: Linux only. glibc must be told by
the environment (MALLOC_MMAP_THRESHOLD_) to give every larger block back to the kernel as soon as it is freed, so that
what is resident is what is allocated. Writes FOLDER/RANK.json: bytes by case.
"""

import ctypes
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from jobs.pretrain.build import build_engine
from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

STEPS = 2  # the first makes the optimizer's moments


def resident(field: str) -> int:
    """Bytes, of VmRSS (now) or VmHWM (most since the last reset)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


def batches(model: ModelConfig, training: TrainingConfig) -> Any:
    shape = (training.micro_batch_sequences, model.sequence_length + 1)
    while True:
        rows = torch.randint(0, model.vocab_size, shape)
        yield rows[:, :-1], rows[:, 1:]


def highest(model: ModelConfig, training: TrainingConfig) -> int:
    """Bytes resident at the fullest moment of some optimizer steps, the process itself included."""
    engine = build_engine(model, training, batch_layout(training, model.sequence_length, dist.get_world_size()))
    source = batches(model, training)
    for _ in range(STEPS):
        gc.collect()
        engine.step(source, 1e-3)
    reached = resident("VmHWM")
    engine.destroy()
    return reached


def peak(model: ModelConfig, training: TrainingConfig) -> int:
    """The same, less what the process takes without the model."""
    tiny = {"num_layers": training.pipeline_stages, "width": 8, "num_heads": 1, "vocab_size": 257}
    # What is loaded at first use, and DeepSpeed holds on to its last engine until there is another.
    highest(model.model_copy(update=tiny), training)
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    return highest(model, training) - before


def main(rank: int, num_ranks: int, cases: Path, folder: Path) -> None:
    os.environ["LOCAL_RANK"] = "0"  # DeepSpeed asks for it
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=num_ranks)
    peaks = {
        name: peak(ModelConfig(**case["model"]), TrainingConfig(**case["training"]))
        for name, case in json.loads(cases.read_text()).items()
    }
    (folder / f"{rank}.json").write_text(json.dumps(peaks))
    dist.barrier()
    os._exit(0)  # what DeepSpeed does at its end takes seconds


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
