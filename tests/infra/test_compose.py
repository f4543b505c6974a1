"""The compose file against the compose specification's schema, and against Docker Compose where it is installed."""

import json
import os
import shutil
import stat
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "infra/compose"
FILES = ["compose.yaml", "compose.cuda.yaml"]


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / name).read_text())


@pytest.mark.parametrize("name", FILES)
def test_a_compose_file_is_as_the_specification_has_it(name: str) -> None:
    schema = resources.files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text()
    jsonschema.validate(read(name), json.loads(schema))


def compose_command() -> list[str] | None:
    """Docker Compose 2 or newer, as a plugin or as a program of its own."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run([*command, "version", "--short"], capture_output=True, text=True)
        if answer.returncode == 0 and int(answer.stdout.strip().lstrip("v").split(".")[0]) >= 2:
            return command
    return None


@pytest.mark.parametrize("names", [FILES[:1], FILES], ids=["cpu", "cuda"])
def test_docker_compose_reads_it(names: list[str]) -> None:
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose 2 is not installed; the schema of its specification is checked all the same")
    files = [argument for name in names for argument in ("--file", str(FOLDER / name))]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    answer = subprocess.run(
        [
            *command,
            "--env-file",
            str(FOLDER / ".env.example"),
            "--profile",
            "run",
            *files,
            "config",
            "--format",
            "json",
        ],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    services = json.loads(answer.stdout)["services"]
    assert set(services) == {"ray-head", "ray-worker", "seedbed", "mlflow", "postgres", "s3"}
    seedbed = {services[name]["image"] for name in ("ray-head", "ray-worker", "seedbed")}
    assert seedbed == {"seedbed:cuda" if len(names) == 2 else "seedbed:cpu"}  # one image on every node


def test_nothing_is_published_beyond_this_machine_and_no_secret_is_in_the_environment() -> None:
    composed = read("compose.yaml")
    for name, service in composed["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for variable, value in service.get("environment", {}).items():
            secret = any(word in variable for word in ("PASSWORD", "SECRET", "TOKEN", "CREDENTIALS"))
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {variable}"
    for name in ("ray-head", "ray-worker", "seedbed"):
        assert composed["services"][name]["environment"]["RAY_AUTH_MODE"] == "token"


def test_what_runs_for_long_says_whether_it_is_well() -> None:
    composed = read("compose.yaml")
    mlflow = (FOLDER.parent / "container/mlflow.Dockerfile").read_text()
    without = {name for name, service in composed["services"].items() if "healthcheck" not in service}
    assert without == {"seedbed", "mlflow"}  # a run ends; MLflow's stands in its image
    assert "HEALTHCHECK" in mlflow


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "make-secrets", tmp_path)
    wanted = {Path(secret["file"]).name for secret in read("compose.yaml")["secrets"].values()}
    subprocess.run([tmp_path / "make-secrets"], check=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run([tmp_path / "make-secrets"], check=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert set(first) == wanted
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len({first["ray_token"], first["postgres_password"], first["s3_secret_key"]}) == 3
    assert all(len(first[name]) == 64 for name in ("ray_token", "postgres_password", "s3_secret_key"))
    assert first["s3_secret_key"] in first["aws_credentials"]
