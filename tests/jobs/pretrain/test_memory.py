"""The cost model's memory held to the real engine's peaks, on two CPU ranks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.layout import batch_layout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.memory import memory_by_role

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is read from /proc"),
]

PROGRAM = Path(__file__).parents[2] / "importable" / "peak_memory.py"
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
TOLERANCE = 0.1
NUM_RANKS = 2


def case(layers, width, vocab_size, micro, length=256, accumulation=2, stages=1, **training):
    sequences = accumulation * NUM_RANKS // stages * micro
    shape = {"num_layers": layers, "width": width, "num_heads": width // 32, "vocab_size": vocab_size}
    batch = {"global_batch_tokens": sequences * length, "micro_batch_sequences": micro, "pipeline_stages": stages}
    return {
        "model": shape | {"sequence_length": length},
        "training": {"num_steps": 10, "learning_rate": 0.01} | batch | training,
    }


# One in which each of the terms is the greatest: logits, activations, one block's, those of a pipeline, the state.
CASES = {
    "logits, fp32, ZeRO-0": case(2, 64, 8192, micro=4, zero_stage=0),
    "activations, bf16, ZeRO-1": case(10, 128, 512, micro=3, zero_stage=1, precision="bf16"),
    "recomputed, bf16, ZeRO-2": case(
        8, 128, 2048, micro=3, zero_stage=2, precision="bf16", activation_checkpointing=True
    ),
    "pipeline, bf16, ZeRO-1": case(8, 128, 512, micro=3, accumulation=4, stages=2, zero_stage=1, precision="bf16"),
    "state, fp32, ZeRO-3": case(4, 384, 2048, micro=1, length=16, zero_stage=3),
}


THOROUGH = ("activations, bf16, ZeRO-1", "recomputed, bf16, ZeRO-2")


@pytest.fixture(scope="module")
def peaks(request, tmp_path_factory):
    """Bytes by rank and case, of those cases that are to be tested: one start for all."""
    chosen = {item.callspec.params["name"] for item in request.session.items if "peaks" in item.fixturenames}
    folder = tmp_path_factory.mktemp("peaks")
    (folder / "cases.json").write_text(json.dumps({name: CASES[name] for name in CASES if name in chosen}))
    environment = os.environ | ALLOCATOR | {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    ranks = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), str(rank), str(NUM_RANKS), str(folder / "cases.json"), str(folder)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(folder / f"{rank}.log").open("w"),
        )
        for rank in range(NUM_RANKS)
    ]
    for rank, process in enumerate(ranks):
        assert process.wait(timeout=900) == 0, (folder / f"{rank}.log").read_text()[-3000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(NUM_RANKS)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.thorough] if name in THOROUGH else []) for name in CASES]
)
def test_the_plan_is_within_a_tenth_of_the_measured_peak(peaks, name):
    model, training = ModelConfig(**CASES[name]["model"]), TrainingConfig(**CASES[name]["training"])
    roles = memory_by_role(model, training, batch_layout(training, model.sequence_length, NUM_RANKS))
    for rank in range(NUM_RANKS):
        planned = roles[rank * len(roles) // NUM_RANKS]  # ranks are numbered stage by stage
        assert planned.total == pytest.approx(peaks[rank][name], rel=TOLERANCE), planned
