"""What a run tells while it goes: of the reference run, of one that is asked to stop, and of a submitted one."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from seedbed import reports, runs
from seedbed.bundle import gather
from seedbed.plan import make_plan
from seedbed.reports import LogReader, MetricsReader, attempt_path
from seedbed.runfile.load import load_run, write_resolved
from seedbed.store import Store
from seedbed.submission import submitted_launch

pytestmark = pytest.mark.slow

NUM_STEPS = 4000
LONG = ("training.num_steps", NUM_STEPS), ("training.checkpoint_every_steps", NUM_STEPS), ("budget.max_repeats", 1000)
LONGER = [word for key, value in LONG for word in ("--set", f"{key}={value}")]
LOST_AT = 20


def logs(store, run_id, attempt, source):
    reader = LogReader(store, run_id, attempt, source)
    return "".join(text for _, text in reader.new(1 << 30))


def test_the_reference_run_told_its_way_to_the_end(reference):
    store = Store(str(reference.store))
    [run_id] = store.names("runs")
    assert reports.attempts(store, run_id) == [1]
    end = reports.read_end(store, run_id, 1)
    assert (end["exit_code"], end["state"], end["failure"], end["reason"]) == (0, "finished", None, None)
    beat = reports.read_heartbeat(store, run_id, 1)
    assert (beat["job"], beat["attempt"], beat["step"]) == (None, 1, "export")
    assert (beat["training"]["step"], beat["training"]["num_steps"], beat["checkpoint_step"]) == (12, 12, 12)
    assert beat["spending"]["steps_taken"] == 12
    assert len(beat["ray_node"]) == 56
    driver = logs(store, run_id, 1, "driver").splitlines()
    for words in ("extract  ", "  step 12 of 12: loss ", f"run {run_id}: finished", "tracking: mlflow ui "):
        assert any(line.startswith(words) for line in driver), driver
    metrics = MetricsReader(store, run_id)
    metrics.look()
    assert [point.step for point in metrics.curves.series("loss")] == list(range(1, 13))
    assert [point.value for point in metrics.curves.series("loss")] == [line["loss"] for line in reference.metrics()]
    assert [mark.event for mark in metrics.curves.marks] == ["started", "taken_up", "finished", "driver_ended"]
    assert not list((reference.state / "reports").rglob("*.log"))


@dataclass(frozen=True)
class Stopped:
    """A training that lost a rank, went on, and was asked to stop."""

    store: Store
    run_id: str
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def stopped(reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    mine = reference.copy(folder)
    shutil.rmtree(mine.store / "runs")
    fault = {"SEEDBED_FAULT": f"pretrain.step.{LOST_AT}", "SEEDBED_FAULT_ONCE": str(folder / "once")}
    # Torch's C++ says on each rank whom it has met.
    driver = mine.start("run", mine.run_file, *LONGER, **fault, TORCH_CPP_LOG_LEVEL="INFO")
    store = Store(str(mine.store))

    def beat():
        [run_id] = store.names("runs") or [""]
        return run_id, reports.read_heartbeat(store, run_id, 1) or {}

    while ((beat()[1].get("training") or {}).get("step") or 0) <= LOST_AT:
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.1)
    reports.ask(store, beat()[0], reports.STOP, "ana", "the cluster is needed")
    out, err = driver.communicate(timeout=200)
    return Stopped(store, beat()[0], driver.returncode, out, err)


def test_who_asks_gets_a_checkpoint_and_schedulers_do_not_start_it_again(stopped):
    record = runs.load(stopped.store, stopped.run_id)
    end = reports.read_end(stopped.store, stopped.run_id, 1)
    step = reports.read_heartbeat(stopped.store, stopped.run_id, 1)["checkpoint_step"]
    why = (
        f"ana asked to stop (the cluster is needed): training has stopped at its checkpoint of step {step:,};"
        f" the same command goes on with step {step + 1:,}"
    )
    assert LOST_AT < step < NUM_STEPS
    assert (stopped.code, stopped.err) == (0, f"stopped: {why}\n")
    assert (record.state, record.error) == ("stopped", why)
    assert (end["exit_code"], end["state"], end["failure"], end["reason"]) == (0, "stopped", None, why)
    assert end["step"] == "pretrain"
    plan = runs.load_plan(stopped.store, stopped.run_id)
    checkpoints = f"steps/pretrain-{plan.step('pretrain').fingerprint}/checkpoints"
    assert f"step-{step:08d}" in stopped.store.names(checkpoints)


def test_its_logs_have_what_the_driver_and_each_rank_printed_also_the_one_that_was_lost(stopped):
    driver = logs(stopped.store, stopped.run_id, 1, "driver")
    assert sorted(driver.splitlines()) == sorted((stopped.out + stopped.err).splitlines())
    assert "restart: number 1" in driver
    for rank in ("rank-00000", "rank-00001"):
        printed = logs(stopped.store, stopped.run_id, 1, rank)
        assert printed.count("The client socket has connected to") == 2, printed  # before the loss, and after


def test_its_curve_has_each_step_once(stopped):
    metrics = MetricsReader(stopped.store, stopped.run_id, max_points=10_000)
    metrics.look()
    step = reports.read_heartbeat(stopped.store, stopped.run_id, 1)["training"]["step"]
    assert [point.step for point in metrics.curves.series("loss")] == list(range(1, step + 1))
    assert [mark.event for mark in metrics.curves.marks] == [
        *("started", "taken_up", "restart"),
        *("started", "taken_up", "driver_ended"),
    ]


@pytest.fixture(scope="module")
def submitted(reference, tmp_path_factory):
    """The reference run, submitted: its bundle as Ray unpacks it. All steps are there, so no Ray is needed."""
    folder = tmp_path_factory.mktemp("submitted")
    mine = reference.copy(folder)
    store, run = Store(str(mine.store)), load_run(mine.run_file)
    plan = make_plan(run, store)
    made = gather(submitted_launch(plan, store), write_resolved(run)).pack(folder)
    root = folder / "unpacked"
    with zipfile.ZipFile(made.path) as archive:
        archive.extractall(root)

    def enter(*arguments):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "RAY_"))}
        return subprocess.run(
            [sys.executable, "-m", "jobs.submitted", "launch.json", *map(str, arguments)],
            cwd=root,
            env=clean | {"TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return enter, made.digest, store, plan, folder


def test_a_submitted_run_tells_under_its_jobs_number(submitted):
    enter, digest, store, plan, folder = submitted
    reports.ask(store, plan.run_id, reports.STOP, "ana", job=12)  # before it was sent off
    left = enter("--bundle", digest, "--job", 12, "--attempt", 3, "--submitted-at", time.time())
    assert (left.returncode, left.stderr) == (0, ""), left
    assert reports.find_attempt(store, plan.run_id, job=12, attempt=3) == 2
    assert reports.read_end(store, plan.run_id, 2)["exit_code"] == 0
    assert logs(store, plan.run_id, 2, "driver") == left.stdout
    assert store.files(f"{attempt_path(plan.run_id, 2)}/metrics") == {}
    state = folder / f"seedbed-{os.getuid()}" / "state" / plan.run_id
    launch = json.loads((state / "launches" / f"{plan.run_id}.json").read_text())
    assert (launch["cluster"]["address"], launch["tracking"]["enabled"]) == ("auto", False)
    assert reports.read_request(store, plan.run_id) is None


def test_other_code_than_was_submitted_is_refused(submitted):
    enter, digest, _, _, folder = submitted
    left = enter("--bundle", "0" * 32, "--job", 12, "--attempt", 4)
    assert left.returncode == 2
    assert left.stderr == (
        f"error: the code in {Path(folder) / 'unpacked'} is not what was submitted: its digest is {digest}, not"
        f" {'0' * 32}: submit the run again\n"
    )
