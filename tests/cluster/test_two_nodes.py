"""A run on two machines ends as one on a single machine does, whatever happens to the second of them on the way."""

import contextlib
import os
import shutil
import signal
import sqlite3
import time
from dataclasses import replace

import pytest

from tests.cluster.conftest import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

DATA = ("extract", "clean", "annotate", "select", "deduplicate", "corpus", "tokenizer", "shards", "ledger")


def end(driver):
    out, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, out
    return out


def data_digests(workspace):
    digests = workspace.digests()
    return {kind: digests[kind] for kind in DATA}


def assert_trained_as(ours, theirs):
    """Each step once, on the same samples, with the same bits: the layout is the same, so the order of sums is."""
    ours, theirs = ours.metrics(), theirs.metrics()
    assert [line["step"] for line in ours] == list(range(1, 13))
    for name in ("samples", "loss", "gradient_norm", "learning_rate"):
        assert [line[name] for line in ours] == [line[name] for line in theirs]


@pytest.fixture(scope="module")
def disturbed(make_workspace, tmp_path_factory):
    """The store of a run whose steps are disturbed one after the other."""
    return make_workspace(tmp_path_factory.mktemp("disturbed"))


def test_a_run_that_nothing_disturbs(two_machines, workspace, reference, tmp_path):
    database = tmp_path / "mlflow.db"  # the driver's state directory is its own
    tracking = {"enabled": "true", "mlflow_uri": f"sqlite:///{database}", "system_metrics_every_s": 1}
    settings = [part for key, value in tracking.items() for part in ("--set", f"tracking.{key}={value}")]
    driver = two_machines.start(workspace, *settings)
    wait_for(lambda: two_machines.working("ray::execute"), driver)
    wait_for(lambda: two_machines.working("ray::Rank"), driver)
    end(driver)
    with contextlib.closing(sqlite3.connect(database)) as mlflow:
        told = {name for (name,) in mlflow.execute("SELECT DISTINCT key FROM metrics")}
    metric = "cpu_utilization_percentage"
    of_both = {f"system/{metric}", f"system/{two_machines.other.address}/{metric}"}
    assert {name for name in told if name.endswith(metric)} == of_both
    assert workspace.digests() == reference.digests()
    assert_trained_as(workspace, reference)


def test_data_steps_while_a_worker_is_killed_then_a_raylet_and_then_the_cable_is_cut(
    two_machines, disturbed, reference
):
    """Each time the second machine is at a unit, and the first one has to do it again."""
    driver = two_machines.start(disturbed, "--until", "clean")
    wait_for(lambda: two_machines.working("ray::execute"), driver)
    os.kill(two_machines.working("ray::execute")[0], signal.SIGKILL)
    end(driver)
    driver = two_machines.start(disturbed, "--until", "corpus")
    wait_for(lambda: two_machines.working("ray::execute"), driver)
    os.kill(two_machines.raylet(), signal.SIGKILL)
    end(driver)
    wait_for(lambda: two_machines.num_machines() == 2)
    driver = two_machines.start(disturbed, "--until", "ledger")
    wait_for(lambda: two_machines.working("ray::execute"), driver)
    two_machines.other.cut()
    end(driver)
    two_machines.other.mend()
    assert data_digests(disturbed) == data_digests(reference)


def test_training_while_a_rank_is_killed_then_a_raylet_and_then_the_cable_is_cut(
    two_machines, disturbed, reference, tmp_path
):
    """Three times one of the ranks hangs, so that there is time to do harm while the other waits for it."""
    points = [f"pretrain.step.{step}" for step in (3, 6, 10)]
    fault = {"SEEDBED_FAULT": ",".join(f"{point}=hang" for point in points), "SEEDBED_FAULT_ONCE": str(tmp_path)}
    wait_for(lambda: two_machines.num_machines() == 2)
    driver = two_machines.start(disturbed, "--until", "pretrain", **fault)
    wait_for((tmp_path / points[0]).exists, driver)
    os.kill(two_machines.working("ray::Rank")[0], signal.SIGKILL)
    wait_for((tmp_path / points[1]).exists, driver)
    raylet_killed = time.time()
    os.kill(two_machines.raylet(), signal.SIGKILL)
    wait_for((tmp_path / points[2]).exists, driver)
    cable_cut = time.time()
    two_machines.other.cut()
    wait_for(lambda: two_machines.num_machines() == 1, driver)
    two_machines.other.mend()
    assert end(driver).count("its process was lost") == 3
    # Where it went on from is told by rank 0, whose machine may be gone before the first machine has heard it.
    taken_at = [line["time"] for line in disturbed.metrics()]
    assert taken_at[3] < raylet_killed < taken_at[4]  # every fourth step is kept, and not taken again
    assert taken_at[7] < cable_cut < taken_at[8]
    assert data_digests(disturbed) == data_digests(reference)
    assert_trained_as(disturbed, reference)
    assert disturbed.digests()["pretrain"] == reference.digests()["pretrain"]


def test_a_machine_that_does_not_come_back_leaves_the_training_to_the_other(two_machines, mine, reference, tmp_path):
    """Half of the ranks take twice the rounds of accumulation: the same samples, added up in another order."""
    shutil.rmtree(mine.artifact("pretrain"))
    shutil.rmtree(mine.store / "runs")
    wait_for(lambda: two_machines.num_machines() == 2)
    fault = {"SEEDBED_FAULT": "pretrain.step.6=hang", "SEEDBED_FAULT_ONCE": str(tmp_path)}
    fewer = {"cluster.min_training_ranks": 1, "cluster.placement_timeout_s": 2}
    settings = [part for key, value in fewer.items() for part in ("--set", f"{key}={value}")]
    driver = two_machines.start(mine, "--until", "pretrain", *settings, **fault)
    wait_for((tmp_path / "pretrain.step.6").exists, driver)
    two_machines.other.cut()
    try:
        out = end(driver)
    finally:
        two_machines.other.mend()
    assert "fewer_ranks: num_ranks 1" in out
    ours, theirs = mine.metrics(), reference.metrics()
    assert [line["samples"] for line in ours] == [line["samples"] for line in theirs]
    assert [line["loss"] for line in ours] == pytest.approx([line["loss"] for line in theirs], abs=1e-4)


def test_a_store_that_one_machine_does_not_see_is_refused(two_machines, workspace):
    """The state directory of these runs is in sight of the first machine alone."""
    wait_for(lambda: two_machines.num_machines() == 2)
    hidden = replace(workspace, store=workspace.state / "store")
    # With tracking: what looks at other machines is there, and has not begun when the run is refused.
    driver = two_machines.start(hidden, "--set", "tracking.enabled=true")
    out, _ = driver.communicate(timeout=120)
    assert driver.returncode == 2, out
    assert f"node {two_machines.other.address} does not see the store {hidden.store}" in out
