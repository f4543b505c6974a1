"""The house itself: which way imports run, how large files are, whether what the README says to type exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from seedbed.cli.app import app

ROOT = Path(__file__).parents[1]
MAX_LINES = 400
PACKAGES = ("dataprep", "jobs", "platform")
README = (ROOT / "README.md").read_text()
COMMAND = typer.main.get_command(app)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only git knows which files are the house's")
def test_no_file_has_the_marks_of_a_merge():
    marks = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    assert [str(file) for file in files if file.is_file() and marks.search(file.read_bytes())] == []


def test_imports_run_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_the_repository_root_does_not_hide_python_s_own_platform_module():
    question = "import platform; print(platform.python_implementation(), platform.__file__)"
    said = subprocess.run([sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == "CPython"
    assert not said.stdout.split()[1].startswith(str(ROOT / "platform"))


def test_no_test_folder_is_a_package():
    # `tests/jobs` would hide `jobs`.
    assert [str(path) for path in (ROOT / "tests").rglob("__init__.py")] == []
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_too_long_to_read(package):
    lengths = {str(path): len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def blocks(language):
    """The lines of the README's blocks of this language, without comments."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = [line.split(" #")[0].strip() for block in found for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def seedbed_lines():
    """What the README says to type after `seedbed`, each a list of words."""
    typed = [shlex.split(line) for line in blocks("sh")]
    typed += [shlex.split(code) for code in re.findall(r"`(seedbed [^`]+)`", README)]
    return [words[1:] for words in typed if Path(words[0]).name == "seedbed"]


def test_the_readme_says_what_to_type():
    assert {words[0] for words in seedbed_lines()} == set(COMMAND.commands)


@pytest.mark.parametrize("words", seedbed_lines(), ids=" ".join)
def test_a_command_of_the_readme_is_one_that_there_is(words):
    command = COMMAND.commands[words[0]]
    if not any(word in ("RUN.yaml", "URL-or-id") or word.isupper() or word.startswith("[") for word in words):
        # Parsing checks options and arguments, and carries nothing out.
        command.make_context(words[0], words[1:], parent=click.Context(COMMAND))


@pytest.mark.parametrize("line", [line for line in blocks("sh") if line.startswith("make ")])
def test_a_target_of_the_readme_is_in_the_makefile(line):
    target = shlex.split(line)[1]
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_a_link_of_the_readme_leads_somewhere(target):
    assert "://" in target or (ROOT / target).exists()


def test_the_files_that_the_readme_s_commands_name_are_there():
    named = [word for words in seedbed_lines() for word in words if word.startswith("configs/")]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
