"""A run on its way to a real MLflow, whoever is killed on the way. Nothing is missing, nothing stands twice."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedbed import faults, runs
from seedbed.tracking import journal
from seedbed.tracking.catch_up import catch_up
from seedbed.tracking.destination import Unreachable
from seedbed.tracking.shipment import Shipment
from seedbed.tracking.shipped import Memory, system_spool

pytestmark = pytest.mark.slow

KILLED_AND_STARTED_AGAIN = """
import os, sys
import mlflow.tracking.client  # once, for all the children
from seedbed import runs
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.shipment import Shipment

store, state = Store(sys.argv[1]), StateDirectory(sys.argv[2])
for number in range(50):
    child = os.fork()
    if not child:
        Shipment(store, state, runs.load_plan(store, sys.argv[3])).send()
        os._exit(0)
    how = os.waitpid(child, 0)[1]
    print(how)
    if how == 0:
        break
"""

POINTS = (
    "run.created",
    "description.sent",
    "extract.sent",
    "shards.sent",
    "export.sent",
    "metrics.before",
    "attempt.created",
    "batch.sent",
    "metrics.sent",
    "system.sent",
    "model.registered",
)


def ship_killed_everywhere(tracked, marks):
    """Each start of the shipment is killed at the first of the points where none was killed before."""
    environment = os.environ | {
        faults.FAULT: ",".join(f"tracking.{point}" for point in POINTS),
        faults.ONCE: str(marks),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [sys.executable, "-c", KILLED_AND_STARTED_AGAIN]
    done = subprocess.run(
        [*command, tracked.store.url, str(tracked.state.root), tracked.run_id],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["9"] * len(POINTS) + ["0"], done.stderr
    assert {mark.name for mark in marks.iterdir()} == {f"tracking.{point}" for point in POINTS}


def whole_run(tracked):
    """A training of 300 steps in three attempts, the machine beside it, a model at its end."""
    tracked.commit_data()
    tracked.begin()
    tracked.steps(1, 120)
    tracked.tell(event="spending", steps_taken=120, cost=1.5, forecast_cost=3.75, time=1767323045.5)
    tracked.tell(event="checkpoint", step=100, time=time.time())
    tracked.tell(event="restart", reason="rank 1 was lost", time=time.time())
    tracked.restart(at=100)
    tracked.steps(101, 130)
    tracked.begin(at=100)  # the driver was killed before a checkpoint
    tracked.steps(101, 300)
    tracked.tell(event="spending", steps_taken=350, cost=4.25, forecast_cost=4.25, time=1767323055.5)
    spool = system_spool(tracked.state, tracked.run_id)
    for number in range(5):
        journal.append(spool, {"time": time.time() + number, "cpu_utilization_percentage": 10.0 + number})
    tracked.commit_model()
    tracked.finish()


def expect_whole_run(mlflow, tracked, source):
    run = mlflow.check(tracked)
    assert run.info.status == "FINISHED"
    attempts = mlflow.find(tracked.run_id, "attempt")
    assert [attempt.info.status for attempt in attempts] == ["FAILED", "KILLED", "FINISHED"]
    assert [attempt.info.run_name for attempt in attempts] == [f"{tracked.run_id} attempt {n}" for n in (1, 2, 3)]
    assert [attempt.data.tags["seedbed.from_step"] for attempt in attempts] == ["0", "100", "100"]
    assert attempts[0].data.tags["seedbed.ended_because"] == "rank 1 was lost"
    assert attempts[0].data.params["cluster.training_ranks"] == "2"
    assert [value for _, _, value in mlflow.rows(run)["system/cpu_utilization_percentage"]] == [10, 11, 12, 13, 14]
    assert mlflow.rows(run)["spending/cost"] == [(120, 1767323045500, 1.5), (350, 1767323055500, 4.25)]
    assert not [name for attempt in attempts for name in attempt.data.metrics if name.startswith("spending/")]
    assert mlflow.rows(run)["workflow/extract_records_out"] == [(0, 1767323045000, 7.0)]
    assert mlflow.rows(run)["evaluation/loss"] == [(0, 1767323045000, 5.0)]
    assert mlflow.rows(run)["evaluation/domain_x.example_bits_per_byte"] == [(0, 1767323045000, 2.75)]
    assert mlflow.rows(run)["evaluation/domain__none__loss"] == [(0, 1767323045000, 5.5)]
    assert mlflow.rows(run)["mixture/docs_epochs"] == [(0, 1767323045000, 1.25)]
    datasets = {item.dataset.name: item.tags[0].value for item in run.inputs.dataset_inputs}
    assert datasets == {
        "tiny corpus": "corpus",
        "tiny training tokens": "training",
        "tiny validation tokens": "validation",
    }
    files = {
        file.path
        for folder in ("run", "tokenizer", "export")
        for file in mlflow.client.list_artifacts(run.info.run_id, folder)
    }
    assert files >= {"run/plan.json", "run/resolved.yaml", "run/funnel.json", "tokenizer/tokenizer.json"}
    assert {"export/README.md", "export/config.json"} <= files
    assert "export/model.safetensors" not in files
    [version] = mlflow.client.search_model_versions("name = 'tiny'")
    assert mlflow.client.get_model_version_by_alias("tiny", "newest").version == version.version
    assert version.run_id == run.info.run_id
    assert version.tags["seedbed.run"] == tracked.run_id
    assert version.tags["evaluation/loss"] == "5"
    assert version.tags["seedbed.documents"] == f"seedbed why URL --run {tracked.run_id}"
    for kind in ("corpus", "tokenizer", "shards", "ledger"):
        assert version.tags[f"seedbed.{kind}"].endswith(f"/steps/{kind}-{tracked.plan.step(kind).fingerprint}")
    assert version.source.endswith(source(run))


def test_killed_at_every_point_nothing_is_missing_and_nothing_stands_twice(track_run, mlflow_of, tmp_path):
    tracked = track_run()
    whole_run(tracked)
    ship_killed_everywhere(tracked, tmp_path / "marks")
    shipment = Shipment(tracked.store, tracked.state, tracked.plan)
    assert shipment.backlog().is_empty
    assert shipment.is_up_to_date()
    mlflow = mlflow_of(shipment.place.uri)
    export = f"steps/export-{tracked.plan.step('export').fingerprint}/model"
    expect_whole_run(mlflow, tracked, lambda run: export)

    # What was sent is forgotten, as on another machine: MLflow is asked, and all of it is sent again.
    for file in (tracked.state.root / "tracking" / tracked.run_id).glob("shipped-*"):
        file.unlink()
    again = Shipment(tracked.store, tracked.state, tracked.plan)
    assert not again.is_up_to_date()
    again.send()
    expect_whole_run(mlflow, tracked, lambda run: export)

    # Another run that differs in nothing that is made shares the model: no second version.
    other = track_run(experiment="another")
    assert other.run_id == tracked.run_id


def test_through_a_server_the_same_holds_and_the_model_lies_with_the_run(
    track_run, mlflow_of, new_mlflow_server, tmp_path
):
    server = new_mlflow_server(tmp_path)
    server.start()
    tracked = track_run(mlflow_uri=server.url)
    whole_run(tracked)
    ship_killed_everywhere(tracked, tmp_path / "marks")
    mlflow = mlflow_of(server.url)
    expect_whole_run(mlflow, tracked, lambda run: f"{run.info.run_id}/artifacts/model")
    [run] = mlflow.find(tracked.run_id, "run")
    assert "model/model.safetensors" in {file.path for file in mlflow.client.list_artifacts(run.info.run_id, "model")}
    server.kill()


def test_steps_that_another_machine_shipped_are_not_shipped_again(track_run, mlflow_of, tmp_path):
    """Its state directory is gone, and the checkpoint that goes on is older than what MLflow has."""
    uri = f"sqlite:///{tmp_path}/shared/mlflow.db"
    tracked = track_run(mlflow_uri=uri)
    tracked.begin()
    tracked.steps(1, 20)
    tracked.tell(event="checkpoint", step=20, time=time.time())
    Shipment(tracked.store, tracked.state, tracked.plan).send()
    first = dict(tracked.stayed)

    tracked.journal.unlink()
    for file in (tracked.state.root / "tracking" / tracked.run_id).iterdir():
        file.unlink()
    tracked.tell(event="driver_started", run=tracked.run_id, time=time.time())
    for number in range(1, 11):  # the checkpoint of step 20 is broken
        tracked.tell(event="restored", record=first[number])
    tracked.restart(at=10)
    tracked.steps(11, 30)
    tracked.finish()
    Shipment(tracked.store, tracked.state, tracked.plan).send()
    mlflow = mlflow_of(uri)
    [run] = mlflow.find(tracked.run_id, "run")
    kept = [first[number] for number in range(1, 21)] + [tracked.stayed[number] for number in range(21, 31)]
    expected = [(record["step"], int(record["time"] * 1000), record["loss"]) for record in kept]
    assert mlflow.rows(run)["train/loss"] == expected
    attempts = mlflow.find(tracked.run_id, "attempt")
    assert [attempt.info.run_name[-9:] for attempt in attempts] == ["attempt 1", "attempt 2"]
    assert len(mlflow.rows(attempts[1])["train/loss"]) == 20


def test_a_run_of_data_alone_has_its_funnel(track_run, mlflow_of, tmp_path):
    tracked = track_run()
    tracked.commit_data()
    tracked.set_state(runs.STOPPED)
    shipment = Shipment(tracked.store, tracked.state, tracked.plan)
    shipment.send()
    mlflow = mlflow_of(shipment.place.uri)
    [run] = mlflow.find(tracked.run_id, "run")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["workflow/select_records_out"] == 7
    assert not [name for name in run.data.metrics if name.startswith("train/")]
    assert run.data.params["training.num_steps"] == "10"
    assert mlflow.find(tracked.run_id, "attempt") == []

    # A certificate that is made after the run goes with one command.
    certificate = f"runs/{tracked.run_id}/{runs.CONFORMANCE}"
    tracked.store.write(certificate, b'{"passed": true}')
    said = [catch_up(tracked.store, tracked.state, [tracked.run_id])[0].said.partition(";")[0] for _ in range(2)]
    assert said == ["sent what is said of the run itself", "everything had been sent"]
    place = mlflow.client.download_artifacts(run.info.run_id, f"run/{runs.CONFORMANCE}", str(tmp_path))
    assert Path(place).read_bytes() == b'{"passed": true}'

    # Somebody removes the database, and another one begins at its address: it gets everything.
    mlflow.client.delete_run(run.info.run_id)
    mlflow.client.delete_experiment(run.info.experiment_id)
    memory = Memory(tracked.state, tracked.run_id, shipment.place.uri)
    memory.remember(run="0" * 32)
    again = track_run(experiment="another")
    Shipment(again.store, again.state, again.plan).send()
    [anew] = mlflow.find(tracked.run_id, "run")
    assert mlflow.rows(anew) == mlflow.rows(run)


def test_a_run_that_its_budget_stopped_has_not_finished(track_run):
    tracked = track_run()
    shipment = Shipment(tracked.store, tracked.state, tracked.plan)
    tracked.set_state(runs.STOPPED)  # by --until
    assert shipment._status(runs.load(tracked.store, tracked.run_id)) == "FINISHED"
    record = runs.load(tracked.store, tracked.run_id)
    record.end_attempt(runs.STOPPED, "the training has spent 2 hours")
    assert shipment._status(record) == "KILLED"


def test_an_artifact_store_that_takes_nothing_holds_up_no_curve(track_run, mlflow_of):
    tracked = track_run()
    tracked.begin()
    tracked.steps(1, 20)
    tracked.tell(event="checkpoint", step=20, time=time.time())
    shipment = Shipment(tracked.store, tracked.state, tracked.plan)
    shipment.place.artifacts.parent.mkdir(parents=True)
    shipment.place.artifacts.write_text("in the way")
    with pytest.raises(Unreachable):
        shipment.send()
    mlflow_of(shipment.place.uri).check(tracked)
    assert shipment.backlog().is_empty
    assert not shipment.is_up_to_date()
    shipment.place.artifacts.unlink()
    shipment.send()
    assert shipment.is_up_to_date()
