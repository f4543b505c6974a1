"""Every shell script of the project is without a finding of ShellCheck."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def shell_scripts() -> list[Path]:
    files = [
        path for folder in ("infra", "tests/infra", ".ci") for path in (ROOT / folder).rglob("*") if path.is_file()
    ]
    return sorted(path for path in files if path.read_bytes().startswith(b"#!/usr/bin/env bash"))


def test_shellcheck_finds_nothing() -> None:
    program = shutil.which("shellcheck", path=Path(sys.executable).parent)
    if program is None:
        pytest.skip("shellcheck is not installed: `make setup-dev` does it")
    scripts = shell_scripts()
    assert {"seedbed.sbatch", "driver", "make-secrets", "scontrol", "run"} <= {path.name for path in scripts}
    result = subprocess.run([program, "--severity=style", *map(str, scripts)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
