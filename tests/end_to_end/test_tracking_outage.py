"""A run whose MLflow server hangs, is killed and comes back while it trains."""

import time

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.thorough]  # tests/seedbed/tracking/test_outage.py has it without a run

NUM_STEPS = 40


def num_lines(workspace):
    return sum(path.read_bytes().count(b"\n") for path in (workspace.state / "metrics").glob("*[0-9a-f].jsonl"))


def wait_for(condition, driver):
    for _ in range(1800):
        if condition():
            return
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_no_step_waits_for_the_server_and_it_has_each_once_in_the_end(reference, new_mlflow_server, tmp_path):
    from mlflow.tracking.client import MlflowClient

    server = new_mlflow_server(tmp_path)
    server.start()
    trained = reference.copy(tmp_path)
    settings = {
        "training.num_steps": NUM_STEPS,
        "tracking.enabled": "true",
        "tracking.mlflow_uri": server.url,
        "tracking.final_wait_s": 60,
        "tracking.system_metrics_every_s": "null",
    }
    driver = trained.start("run", trained.run_file, *(x for k, v in settings.items() for x in ("--set", f"{k}={v}")))
    wait_for(lambda: num_lines(trained) >= 3, driver)
    server.freeze()  # it takes connections and answers nobody: who waits for it, waits until it is killed
    wait_for(lambda: num_lines(trained) == NUM_STEPS, driver)
    server.kill()
    server.start()
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 0, out + err
    assert f"tracking: {server.url}/#/experiments/" in out

    client = MlflowClient(server.url)
    experiment = client.get_experiment_by_name("small")
    found = client.search_runs([experiment.experiment_id])
    assert sorted((run.data.tags["seedbed.kind"], run.info.status) for run in found) == [
        ("attempt", "FINISHED"),
        ("run", "FINISHED"),
    ]
    records = trained.metrics()
    assert [record["step"] for record in records] == list(range(1, NUM_STEPS + 1))
    for run in found:
        for name, key in {"train/loss": "loss", "speed/step_seconds": "seconds", "train/tokens": "tokens"}.items():
            points = client.get_metric_history(run.info.run_id, name)
            assert sorted((point.step, point.value) for point in points) == [(r["step"], r[key]) for r in records]
