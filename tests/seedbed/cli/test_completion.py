"""What a shell offers after a tab."""

import os
import sqlite3

import pytest
from typer.testing import CliRunner

from seedbed import sample
from seedbed.cli import completion
from seedbed.cli.app import app
from seedbed.registry.database import open_registry
from seedbed.registry.records import NewJob
from seedbed.state import StateDirectory
from seedbed.steps import STEPS


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """`offered("show de")`: what bash is given for the last word of a line."""
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SEEDBED_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("SEEDBED_REGISTRY", raising=False)

    def ask(line):
        words = f"seedbed {line}"
        asked = {
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
            "_SEEDBED_COMPLETE": "complete_bash",
        }
        done = CliRunner().invoke(app, [], prog_name="seedbed", env=asked)
        assert done.exit_code == 0, done.output
        return done.stdout.split()

    return ask


@pytest.fixture
def jobs(tmp_path):
    registry = open_registry(None, StateDirectory(tmp_path / "state"))
    for number, name in enumerate(("demo", "demo", "big"), 1):
        new = NewJob(f"k{number}", f"{name}-0{number}", name, "p", "ann", "local", "/s", "b", 1, 0)
        registry.add_job(new, actor="ann")
    registry.close()


def test_the_steps_are_those_that_there_are(offered):
    assert tuple(step.kind for step in STEPS) == completion.STEPS
    assert completion.SAMPLED == sample.STEPS
    assert offered("run tiny.yaml --until de") == ["deduplicate", "decontaminate"]
    assert offered("submit tiny.yaml --until pre") == ["pretrain"]
    assert offered("sample se") == ["select"]


def test_runs_of_a_folder_are_offered_the_newest_first_by_id_and_name(offered, tmp_path):
    for at, name in enumerate(("demo-01", "demo-02", "other-03")):
        (tmp_path / "store" / "runs" / name).mkdir(parents=True)
        os.utime(tmp_path / "store" / "runs" / name, (at, at))
    assert offered("show ") == ["other-03", "other", "demo-02", "demo", "demo-01"]
    assert offered("why --run demo-") == ["demo-02", "demo-01"]
    assert offered(f"--store {tmp_path / 'nowhere'} show ") == []  # what is typed before counts


def test_jobs_are_offered_by_number_and_by_run(offered, jobs, tmp_path):
    assert offered("logs ") == ["3", "2", "1", "big-03", "big", "demo-02", "demo", "demo-01"]
    assert offered("stop de") == ["demo-02", "demo", "demo-01"]
    assert offered("submit tiny.yaml --after 2") == ["2"]
    assert offered("--store s3://bucket/x show big") == ["big-03", "big"]


def test_of_what_is_not_there_or_cannot_be_read_nothing_is_offered_and_nothing_is_made(offered, tmp_path):
    assert offered("logs ") == offered("show ") == []
    assert not (tmp_path / "state").exists() and not (tmp_path / "store").exists()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "registry.db").write_text("damaged")
    assert offered("logs ") == []
    (tmp_path / "state" / "registry.db").unlink()
    with sqlite3.connect(tmp_path / "state" / "registry.db") as other:
        other.execute("create table jobs (id integer)")
    assert offered("logs ") == []
    assert offered("--registry postgresql://nobody@127.0.0.1:1/x logs ") == []


def test_a_registry_by_its_url_is_read_as_it_is_and_not_brought_up_to_date(offered, jobs, tmp_path):
    # The driver in the URL leads past the short way for files, to where a Postgres is asked.
    assert offered(f"--registry sqlite+pysqlite:///{tmp_path / 'state' / 'registry.db'} logs ")[:3] == ["3", "2", "1"]
    (tmp_path / "new.db").touch()
    assert offered(f"--registry sqlite+pysqlite:///{tmp_path / 'new.db'} logs ") == []
    assert (tmp_path / "new.db").stat().st_size == 0
