"""The reference run in MLflow, as its driver's shipper left it: without a word of `seedbed track`."""

import os
import re

import pytest

from seedbed.tracking.metrics import DECLARED_FIELDS, undeclared

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(reference):
    from mlflow.tracking.client import MlflowClient

    return MlflowClient(f"sqlite:///{reference.state}/mlflow/mlflow.db")


@pytest.fixture(scope="module")
def tracked(client, reference):
    """The run and its one attempt."""
    experiment = client.get_experiment_by_name("small")
    found = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["seedbed.kind"] for run in found) == ["attempt", "run"]
    return {run.data.tags["seedbed.kind"]: run for run in found}


def test_every_field_that_a_step_tells_is_declared_as_a_metric(reference):
    """A field that is new in jobs/pretrain wants a line in seedbed/tracking/metrics.py."""
    for record in reference.metrics():
        assert undeclared(record) == set()
        assert record.keys() & DECLARED_FIELDS


@pytest.mark.parametrize("kind", ["run", "attempt"])
def test_run_and_attempt_have_each_step_once_with_its_own_time(client, tracked, reference, kind):
    expected = [(r["step"], int(r["time"] * 1000), r["loss"]) for r in reference.metrics()]
    points = client.get_metric_history(tracked[kind].info.run_id, "train/loss")
    assert sorted((point.step, point.timestamp, point.value) for point in points) == expected


def test_the_run_ended_and_knows_its_data_its_scores_and_its_model(client, tracked, reference):
    run, shown = tracked["run"], reference.json("show", "small")
    assert (run.info.status, tracked["attempt"].info.status) == ("FINISHED", "FINISHED")
    assert run.data.metrics["evaluation/bits_per_byte"] == shown["training"]["bits_per_byte"]
    assert 0 < run.data.metrics["speed/goodput"] <= 1
    assert run.data.metrics["workflow/train_tokens"] > 6144
    assert run.data.metrics["system/cpu_utilization_percentage"] >= 0
    assert len(run.inputs.dataset_inputs) == 3
    [version] = client.search_model_versions("name = 'small'")
    assert version.source == shown["export"]
    assert client.get_model_version_by_alias("small", "newest").version == version.version


def test_a_run_that_finds_everything_done_does_not_open_mlflow(reference):
    """It would cost seconds: a package of that name that fails to load tells."""
    broken = reference.run_file.parent / "broken"
    broken.mkdir()
    (broken / "mlflow.py").write_text("raise ImportError('nothing is to be sent, and still somebody wants MLflow')\n")
    path = os.pathsep.join([str(broken), os.environ.get("PYTHONPATH", "")])
    answer = reference.run("--set", "tracking.enabled=true", PYTHONPATH=path)
    assert answer.out.splitlines()[-1].startswith("tracking: mlflow ui --backend-store-uri sqlite:///")
    # That the run was started again is told by whoever sends next.
    for said in ("sent what is said of the run itself", "everything had been sent"):
        assert re.match(rf"{said}; see \S*mlflow ui ", reference.json("track", "small")["runs"][0]["said"])
