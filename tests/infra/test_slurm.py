"""The Slurm script on two nodes that a stand-in for srun starts here, as two Ray nodes of one CPU each."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

SCRIPT = Path(__file__).parents[2] / "infra/slurm/seedbed.sbatch"
STAND_IN = Path(__file__).parent / "slurm_stand_in"
TIMEOUT_S = 180


class Job:
    """One start of the script, in a folder of its own with a short path: Ray's sockets lie below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "t"
        self.programs = folder / "bin"  # found before all others
        self.report = folder / "report.json"
        self.calls = folder / "calls"
        self.steps = folder / "steps"
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None
        self.scratch.mkdir()
        self.programs.mkdir()
        self.steps.mkdir()

    def put(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/usr/bin/env bash\n{script}\n")
        program.chmod(0o755)

    def start(self, *arguments: str, **environment: str) -> None:
        """Start it with what Slurm gives a batch script on two nodes, and what the stand-ins want."""
        places = [str(self.programs), str(STAND_IN), str(Path(sys.executable).parent), os.environ["PATH"]]
        given = {
            "PATH": ":".join(places),
            "TMPDIR": str(self.scratch),
            "SLURM_JOB_ID": str(os.getpid()),
            "SLURM_JOB_NODELIST": "node[0-1]",
            "SLURM_CPUS_PER_TASK": "1",
            "SEEDBED_HEAD_IP": ray.util.get_node_ip_address(),
            "STAND_IN_NODES": "node0 node1",
            "STAND_IN_CALLS": str(self.calls),
            "STAND_IN_STEPS": str(self.steps),
            "STAND_IN_REPORT": str(self.report),
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["bash", str(SCRIPT), *arguments],
                env=os.environ | given | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_running(self) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not self.report.exists():
            assert self.process is not None and self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> tuple[int, str]:
        """Its exit code, and all that it and Ray printed."""
        assert self.process is not None
        return self.process.wait(TIMEOUT_S), self.output.read_text()

    def left_over(self) -> list[str]:
        """Command lines of processes that live, and paths of files that lie, in the job's scratch folder.

        The shell of each node removes what is its own, and may need a moment more than the job.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            commands = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
            found = [line for line in commands if str(self.scratch) in line]
            found += [str(path) for path in self.scratch.iterdir()]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def asked_of_slurm(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def job() -> Iterator[Job]:
    job = Job(Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp")))
    yield job
    if job.process is not None and job.process.poll() is None:
        job.process.terminate()
        job.process.wait(TIMEOUT_S)
    shutil.rmtree(job.folder)


def test_a_run_has_both_nodes_and_the_job_has_its_exit_code(job: Job) -> None:
    job.start("run.yaml", "--until", "extract", STAND_IN_CODE="3")
    code, output = job.end()
    assert code == 3, output
    report = json.loads(job.report.read_text())
    assert report.pop("arguments") == ["run", "run.yaml", "--until", "extract", "--set", "cluster.address=auto"]
    assert len(set(report.pop("node_ids"))) == 2
    assert report == {"num_cpus": 2, "auth_mode": "token", "token_mode": "0o600", "token_length": 64}
    assert job.asked_of_slurm() == ["scontrol show hostnames node[0-1]", f"scancel --signal=TERM {os.getpid()}"]
    assert job.left_over() == []  # no process, no token, no socket


def test_sigterm_reaches_the_run_whose_75_puts_the_job_back_into_the_queue(job: Job) -> None:
    job.start("run.yaml", STAND_IN_WAITS="1")
    job.wait_until_running()
    job.stop()
    code, output = job.end()
    assert code == 75, output
    assert job.asked_of_slurm()[1:] == [
        f"scancel --signal=TERM {os.getpid()}",
        f"scontrol show job {os.getpid()}",
        f"scontrol requeue {os.getpid()}",
    ]
    assert job.left_over() == []


def test_a_stop_before_the_nodes_are_up_puts_the_job_back_as_well(job: Job) -> None:
    job.put("ray", f"touch {job.report}; exec sleep {TIMEOUT_S}")
    job.start("run.yaml")
    job.wait_until_running()
    job.stop()
    code, output = job.end()
    assert code == 75, output
    assert job.asked_of_slurm()[1:] == [
        f"scancel --signal=TERM {os.getpid()}",
        f"scontrol show job {os.getpid()}",
        f"scontrol requeue {os.getpid()}",
    ]
    assert job.left_over() == []


def test_a_job_that_was_cancelled_is_not_put_back(job: Job) -> None:
    job.put("ray", f"touch {job.report}; exec sleep {TIMEOUT_S}")
    job.start("run.yaml", STAND_IN_STATE="CANCELLED")
    job.wait_until_running()
    job.stop()
    code, output = job.end()
    assert code == 75, output
    assert job.asked_of_slurm()[-1] == f"scontrol show job {os.getpid()}"
    assert job.left_over() == []


def test_a_node_that_does_not_come_up_ends_the_job(job: Job) -> None:
    job.put("ray", "echo no such device >&2; exit 1")
    job.start("run.yaml")
    code, output = job.end()
    assert code == 1
    assert "no such device" in output
    assert "Ray ended on a node before all 2 were up" in output
    assert job.left_over() == []


def test_nodes_that_never_join_end_the_job(job: Job) -> None:
    job.put("ray", f"exec sleep {TIMEOUT_S}")
    job.start("run.yaml", SEEDBED_JOIN_TIMEOUT_S="3")
    code, output = job.end()
    assert code == 1
    assert "not all 2 nodes joined Ray" in output
    assert job.left_over() == []


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ([], {}, "no run file: sbatch infra/slurm/seedbed.sbatch RUN.yaml"),
        (["run.yaml"], {"SLURM_JOB_ID": ""}, "not in a Slurm job: start it with sbatch"),
        (["run.yaml"], {"PATH": "/usr/bin:/bin"}, "no seedbed on PATH: set SEEDBED_VENV"),
    ],
)
def test_a_wrong_start_says_what_is_missing(
    job: Job, arguments: list[str], environment: dict[str, str], message: str
) -> None:
    job.start(*arguments, **environment)
    code, output = job.end()
    assert code == 2
    assert message in output


def test_a_node_that_is_told_to_end_while_it_cleans_up_leaves_nothing(job: Job) -> None:
    job.put("ray", "exit 1")
    job.put("rm", 'sleep 1 && exec /bin/rm "$@"')
    job.put("mktemp", 'set -e; made=$(/bin/mktemp "$@"); sleep 1; echo "$made"')
    job.start("run.yaml")
    code, output = job.end()
    assert code == 1, output
    assert job.left_over() == []
