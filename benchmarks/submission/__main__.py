"""`python -m benchmarks.submission`: see README.md beside this."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from seedbed.registry.database import open_registry
from seedbed.registry.records import Attempt, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import FINAL
from seedbed.reports import attempt_path
from seedbed.state import StateDirectory
from seedbed.store import Store

CRAWL = Path(__file__).parents[2] / "configs" / "crawls" / "demo" / "corpus-000.warc.gz"
RUN = """\
name: submission
data: {sources: {docs: {path: crawl}}, tokenizer: {vocab_size: 512}}
model: {num_layers: 2, width: 32, num_heads: 2, sequence_length: 64, vocab_size: 512}
training: {num_steps: 5, global_batch_tokens: 512, micro_batch_sequences: 2, learning_rate: 1e-3}
cluster: {data_workers: 2, training_ranks: 2}
budget: {max_repeats: 100}
tracking: {enabled: false}
"""
POLL_S = 0.1
PARTS = ("command", "queue", "Ray and imports", "ranks to the first step", "in all")


def main(argv: list[str] | None = None) -> int:
    """Submit the same small run some times, each with another learning rate: data steps are cached, training is not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.submission", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--out", help="JSON file for the results")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="sb-") as name:
        rows = _measure(Path(name), options.times)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the end")
    for part in PARTS:
        values = [row[part] for row in rows]
        print(f"{part:<24} median {statistics.median(values):6.1f} s   {min(values):.1f} to {max(values):.1f}")
    if options.out:
        Path(options.out).write_text(json.dumps({"cpus": os.cpu_count(), "rows": rows}, indent=1) + "\n")
    return 0


def _measure(folder: Path, times: int) -> list[dict[str, float]]:
    (folder / "crawl").mkdir()
    shutil.copy(CRAWL, folder / "crawl")
    (folder / "run.yaml").write_text(RUN)
    _seedbed(folder, "cluster", "up", "--cpus", "2", "--gpus", "0")
    try:
        print("making the data of the run, once", flush=True)
        _seedbed(folder, "run", "run.yaml", "--until", "ledger")
        registry, store = open_registry(None, StateDirectory(folder / "state")), Store(str(folder / "store"))
        rows = []
        for number in range(times + 1):  # the first one warms up: Python's files, Ray's agent
            began = time.time()
            said = _seedbed(
                *(folder, "submit", "run.yaml", "--set", f"training.learning_rate={number + 1}e-4"),
                *("--until", "pretrain", "--yes", "--json"),
            )
            row = _parts(registry, store, json.loads(said)["job"], began, time.time())
            print({name: round(seconds, 2) for name, seconds in row.items()}, flush=True)
            rows.append(row)
        registry.close()
        return rows[1:]
    finally:
        _seedbed(folder, "cluster", "down", "--now")


def _parts(registry: Registry, store: Store, number: int, began: float, returned: float) -> dict[str, float]:
    """Seconds of each part of the way, from the clocks of command, controller and driver: all of this machine."""
    job, [attempt] = _until_over(registry, number)
    folder = f"{attempt_path(job.run_id, 1)}/metrics"
    lines = [json.loads(line) for path in store.files(folder) for line in store.read(path).splitlines()]
    driver = next(line["time"] for line in lines if line.get("event") == "driver_started")
    first = next(line["time"] for line in lines if line.get("event") is None and line["step"] == 1)
    return {
        "command": returned - began,
        "queue": attempt.started_at - job.submitted_at,
        "Ray and imports": driver - attempt.started_at,
        "ranks to the first step": first - driver,
        "in all": first - began,
    }


def _until_over(registry: Registry, number: int) -> tuple[Job, list[Attempt]]:
    while True:
        job = registry.job(number)
        if job.state in FINAL:
            assert job.state == "stopped", (job.state, job.reason)
            return job, registry.attempts(number)
        time.sleep(POLL_S)


def _seedbed(folder: Path, *arguments: object) -> str:
    clean: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("SEEDBED_")}
    places = {"SEEDBED_STATE": str(folder / "state"), "SEEDBED_STORE": str(folder / "store")}
    command = [str(Path(sys.executable).with_name("seedbed")), *map(str, arguments)]
    done = subprocess.run(command, env=clean | places, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} left with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
