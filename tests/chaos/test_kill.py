"""`kill -9`, at least once in every step: the same command goes on, and makes what an undisturbed run makes.

The tests kill along one store, one after another, as a run has its steps, and the last ones look at what came out.
Alone, a test finds the steps before its own still to do, and they are done undisturbed.
"""

import contextlib
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

PHASES = {
    "extract": ["map"],
    "clean": ["map"],
    "annotate": ["map"],
    "select": ["map"],
    "deduplicate": ["bands", "candidates", "verify", "components", "members", "far", "compare", "groups", "map"],
    "corpus": ["map"],
    "tokenizer": ["sample", "train"],
    "shards": ["tokenize", "merge"],
    "ledger": ["map", "urls"],
}
"""The data steps, and their phases whose units write part files."""


class Chain:
    """One store, and a command that is killed on its way."""

    def __init__(self, workspace, folder: Path) -> None:
        self.workspace = workspace
        self._folder = folder
        self._number = 0

    def _faults(self, points: list[str]) -> tuple[Path, dict[str, str]]:
        self._number += 1
        marks = self._folder / f"kill-{self._number}"
        return marks, {"SEEDBED_FAULT": ",".join(points), "SEEDBED_FAULT_ONCE": str(marks)}

    def run_killed_at(self, *points: str) -> None:
        """Processes are killed where they come to one of the points; the last of them is the driver's."""
        marks, environment = self._faults(list(points))
        self.workspace.run(expect=-9, **environment)
        assert sorted(mark.name for mark in marks.iterdir()) == sorted(points)

    def run_until_all_are_killed_at(self, point: str, *before: str) -> None:
        """Who comes to the point is killed, and with it the driver, its Ray and every worker."""
        marks, environment = self._faults([*before, point])
        driver = self.workspace.start("run", self.workspace.run_file, **environment)
        while not (marks / point).exists():
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.01)
        for process in [*psutil.Process(driver.pid).children(recursive=True), psutil.Process(driver.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has seen the end of its parent
                process.kill()
        driver.communicate()
        assert sorted(mark.name for mark in marks.iterdir()) == sorted([*before, point])

    def state(self) -> str:
        [run] = self.workspace.json("show")["runs"]
        return run["state"]


@pytest.fixture(scope="module")
def chain(make_workspace, tmp_path_factory):
    return Chain(make_workspace(tmp_path_factory.mktemp("killed")), tmp_path_factory.mktemp("kills"))


def test_everything_is_killed_while_a_crawl_is_read(chain):
    chain.run_until_all_are_killed_at("extract.map.part")
    assert chain.state() == "interrupted"


AT_ONCE = ["extract", "clean", "annotate", "select", "deduplicate"], ["corpus", "tokenizer", "shards", "ledger"]
assert [step for steps in AT_ONCE for step in steps] == [*PHASES]


@pytest.mark.parametrize("steps", AT_ONCE)
def test_workers_are_killed_between_part_file_and_report_and_the_driver_before_the_manifest(chain, steps):
    """In each phase of some steps, and the driver at the end of the last of them: a start of all takes its time."""
    parts = (f"{step}.{phase}.part" for step in steps for phase in PHASES[step])
    chain.run_killed_at(*parts, f"{steps[-1]}.manifest")


def test_ranks_are_killed_in_a_checkpoint_and_in_a_step_and_then_everything(chain):
    """The checkpoint of step 4 is cut short: from the start again. Then step 6 is: back to step 4. Then step 11."""
    ranks = ["pretrain.checkpoint.manifest", "pretrain.step.6"]
    chain.run_until_all_are_killed_at("pretrain.step.11", *ranks)
    assert chain.state() == "interrupted"
    checkpoints = chain.workspace.artifact("pretrain") / "checkpoints"
    assert (checkpoints / "latest").read_text() == "step-00000008"
    assert (checkpoints / "broken-step-00000004").is_dir()


@pytest.mark.parametrize("points", [["pretrain.manifest"], ["evaluate.map.part", "export.manifest"]])
def test_the_driver_is_killed_before_what_was_learnt_and_before_the_export_is_committed(chain, points):
    chain.run_killed_at(*points)


def test_the_same_command_then_ends_with_what_an_undisturbed_run_makes(chain, reference):
    chain.workspace.run()
    assert chain.state() == "finished"
    assert chain.workspace.digests() == reference.digests()


def test_the_model_has_seen_each_sample_once_and_learnt_the_same(chain, reference):
    ours, theirs = chain.workspace.metrics(), reference.metrics()
    assert [line["step"] for line in ours] == list(range(1, 13))
    for name in ("samples", "loss", "gradient_norm", "learning_rate"):
        assert [line[name] for line in ours] == [line[name] for line in theirs]


def test_what_the_killed_have_left_is_garbage_and_nothing_else_is(chain):
    chain.workspace.seedbed("gc", "--yes")
    assert chain.workspace.json("gc", "--dry-run")["garbage"] == []
    assert set(chain.workspace.planned().values()) == {"cached"}
    assert not [path for path in chain.workspace.store.rglob("*") if path.name.startswith(".incomplete-")]
