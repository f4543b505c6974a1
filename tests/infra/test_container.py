"""The container files: what an engine would trip over, and what they promise. No engine builds them here."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "infra/container"
DOCKERFILES = sorted(CONTAINER.glob("*.Dockerfile"))
SEEDBED = [CONTAINER / "cpu.Dockerfile", CONTAINER / "cuda.Dockerfile"]
TIMEOUT_S = 60


def instructions(path: Path) -> list[tuple[str, str]]:
    """The file's instructions, continued lines joined, comments left out."""
    lines = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(path: Path) -> None:
    program = shutil.which("hadolint", path=Path(sys.executable).parent)
    if program is None:
        pytest.skip("hadolint is not installed: `make setup-dev` does it on x86-64")
    result = subprocess.run([program, "--no-color", str(path)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_installs_by_the_constraints_and_runs_as_nobody_of_note(path: Path) -> None:
    found = instructions(path)
    for kind, text in found:
        if kind == "COPY":
            sources = [part for part in text.split()[:-1] if not part.startswith("--")]
            assert all((ROOT / source).exists() for source in sources), text
        if kind == "RUN" and "pip install" in text:
            assert all("--constraint constraints.txt" in call for call in re.findall(r"pip install[^&]*", text)), text
        if kind == "FROM":
            assert re.search(r":[^:]*\d", text), f"{text}: a base without a version"
    assert [text for kind, text in found if kind == "USER"][-1] == "1000"
    assert 'ENTRYPOINT ["tini", "--"' in path.read_text()


def test_the_two_images_of_seedbed_differ_in_their_base_alone() -> None:
    cpu, cuda = (path.read_text().split("\nWORKDIR ", 1)[1] for path in SEEDBED)
    assert cpu == cuda


def test_the_layer_of_dependencies_is_what_pyproject_asks_for() -> None:
    printed = subprocess.run(
        [sys.executable, str(CONTAINER / "dependencies.py")], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    names = {Requirement(line).name for line in printed.splitlines()}
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert names == {Requirement(text).name for text in asked["project"]["dependencies"]} | {"hatchling", "editables"}
    assert names == {Requirement(text).name for text in asked["build-system"]["requires"]} | names


def put(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/usr/bin/env bash\n{script}\n")
    program.chmod(0o755)


def test_the_driver_joins_ray_then_becomes_the_run_and_takes_its_signals(tmp_path: Path) -> None:
    put(tmp_path, "ray", f'echo "$@" >{tmp_path}/ray-arguments')
    put(tmp_path, "seedbed", f"trap 'exit 75' TERM; echo \"$@\" >{tmp_path}/arguments; while :; do sleep 0.1; done")
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RAY_ADDRESS": "ray-head:6379",
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
    }
    driver = subprocess.Popen([str(CONTAINER / "driver"), "run.yaml", "--until", "shards"], env=environment)
    deadline = time.monotonic() + TIMEOUT_S
    while not (tmp_path / "arguments").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(TIMEOUT_S) == 75
    assert (
        (tmp_path / "ray-arguments").read_text().startswith("start --address=ray-head:6379 --num-cpus=0 --num-gpus=0")
    )
    assert (tmp_path / "arguments").read_text().split() == [
        *("run", "run.yaml", "--until", "shards", "--set", "cluster.address=auto"),
        *("--set", "tracking.mlflow_uri=http://mlflow:5000"),
    ]
