"""The steps on a Ray with two workers; or, with --bare, by two processes that know nothing of each other.

python -m benchmarks.dataprep.two_workers [--bare] FILE...

The start of Ray and of its workers is not timed: it is the same for a shard and for ten thousand.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.contest.meter import Meter, report
from benchmarks.dataprep.seedbed_pipeline import ThisProcess, planned, run_steps, warm
from dataprep.extraction.isolation import end_idle_children
from seedbed.artifact import Artifact

NUM_WORKERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--wait", action="store_true", help=argparse.SUPPRESS)  # a bare process: start when told
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.wait:
            _bare_process(Path(folder), options.files)
        elif options.bare:
            _two_bare_processes(options.files)
        else:
            _two_ray_workers(Path(folder), options.files)


def _bare_process(folder: Path, files: list[Path]) -> None:
    warm(folder / "warm", files[0], None)
    store, plan = planned(folder / "timed", files, None)
    print("ready", flush=True)
    sys.stdin.readline()
    run_steps(folder / "timed", store, plan, ThisProcess())
    end_idle_children()
    print(Artifact(store, "extract", plan.step("extract").fingerprint).committed()["records_out"], flush=True)


def _two_bare_processes(files: list[Path]) -> None:
    command = [sys.executable, "-m", "benchmarks.dataprep.two_workers", "--wait"]
    halves = [files[0::2], files[1::2]]
    processes = [
        subprocess.Popen([*command, *map(str, half)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for half in halves
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    with Meter() as meter:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        pages = sum(int(process.communicate()[0]) for process in processes)
    report(meter, pages=pages, num_bytes=sum(file.stat().st_size for file in files))


def _two_ray_workers(folder: Path, files: list[Path]) -> None:
    import ray

    from jobs.executor import RayExecutor

    class OnRay:
        """Two workers of the Ray that this process has started."""

        def start(self) -> None:
            pass

        def executor(self) -> RayExecutor:
            return RayExecutor(NUM_WORKERS, max_retries=0)

    ray.init(num_cpus=NUM_WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    warm(folder / "warm", files[0], None, OnRay(), copies=2 * NUM_WORKERS)  # each worker has loaded everything
    time.sleep(1.0)
    store, plan = planned(folder / "timed", files, None)
    with Meter() as meter:
        run_steps(folder / "timed", store, plan, OnRay())
    pages = Artifact(store, "extract", plan.step("extract").fingerprint).committed()["records_out"]
    report(meter, pages=pages, num_bytes=sum(file.stat().st_size for file in files))


if __name__ == "__main__":
    main()
