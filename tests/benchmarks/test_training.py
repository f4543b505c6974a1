"""The benchmark of training, as a smoke test on CPU: that it runs and that its numbers follow from one another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.training.__main__ import first_failed
from benchmarks.training.report import row, table
from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling import memory_per_rank, model_flops_per_token

ROOT = Path(__file__).parents[2]
MODEL = ModelConfig(num_layers=2, width=32, num_heads=2, sequence_length=16, vocab_size=300)
TRAINING = TrainingConfig(
    num_steps=3, global_batch_tokens=2 * 4 * 16, micro_batch_sequences=2, learning_rate=0.1, precision="bf16"
)


def test_ranks_that_would_wait_for_one_that_failed_are_ended():
    ranks = [
        subprocess.Popen([sys.executable, "-S", "-c", code])
        for code in ("import time; time.sleep(600)", "raise SystemExit(9)", "")
    ]
    assert first_failed(ranks) == (1, 9)
    assert [process.poll() is not None for process in ranks] == [True, True, True]
    assert first_failed([subprocess.Popen([sys.executable, "-S", "-c", ""])]) is None


def test_a_row_follows_from_what_was_measured():
    measured = {"seconds": [1.0, 0.5, 4.0], "loss": 5.0, "peak_memory_bytes": 1 << 30}
    found = row("small", MODEL, TRAINING, 2, "nvidia-a100-sxm4-80gb", measured)
    assert found["tokens_per_second"] == 128  # 128 tokens in the median second
    assert found["mfu"] == pytest.approx(128 * model_flops_per_token(MODEL) / (2 * 312e12))
    assert found["planned_memory_bytes"] == memory_per_rank(MODEL, TRAINING, BatchLayout(8, 2, 2, 2)).total
    assert table([found], heading=True).splitlines()[1].split()[:4] == ["small", "35,584", "2", "128"]


def test_without_a_known_peak_there_is_no_mfu():
    measured = {"seconds": [1.0], "loss": 5.0, "peak_memory_bytes": 1}
    assert row("small", MODEL, TRAINING, 2, None, measured)["mfu"] is None


def test_a_model_that_failed_is_told():
    found = row("small", MODEL, TRAINING, 2, None, {"error": "rank 0 left with 1: CUDA out of memory"})
    assert "CUDA out of memory" in table([found], heading=False)


@pytest.mark.slow
def test_it_runs_through_the_real_engine(tmp_path):
    out = tmp_path / "results.json"
    smoke = ["--device", "cpu", "--models", "gpt-demo", "--precision", "fp32", "--micro-batch", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", *smoke, "--steps", "2", "--warmup", "1", "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gpt-demo" in done.stdout
    result = json.loads(out.read_text())
    (found,) = result["rows"]
    assert found["tokens_per_second"] > 0
    assert found["mfu"] is None
    assert found["loss"] == pytest.approx(8.3, abs=0.5)  # ln 4,096: nothing is learnt from random tokens
    assert found["peak_memory_bytes"] > found["planned_memory_bytes"]  # the process is in it too
    assert result["versions"].keys() >= {"torch", "deepspeed", "python"}
