"""The reference run as MLflow's own interface shows it. Each page is kept as a picture; pytest -s says where."""

from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow

MACHINE_LEARNING = "workflowType=machine_learning"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def run_url(reference, new_mlflow_server, pictures):
    """The page of the reference run, on a server over the SQLite file that it was shipped to."""
    from mlflow.tracking.client import MlflowClient

    database = reference.state / "mlflow" / "mlflow.db"
    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("small")
    [run] = client.search_runs([experiment.experiment_id], "tags.`seedbed.kind` = 'run'")
    server = new_mlflow_server(pictures, database)
    server.start()
    return f"{server.url}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"


def is_picture(page, path):
    page.screenshot(path=path)
    print(f"screenshot: {path}")
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 20_000


def test_the_run_says_what_it_is_and_comes_from(page, shows, run_url, reference, pictures):
    run_id = reference.json("show", "small")["run"]
    page.goto(f"{run_url}?{MACHINE_LEARNING}")
    # Its parts come one after the other.
    text = shows(
        run_id, "Finished", "derived.parameters", "train/loss", f"{run_id} attempt 1", "Registered models", "v1"
    )
    assert is_picture(page, pictures / "run.png")
    assert "seedbed run" in text
    assert "small corpus" in text
    assert "seedbed.fingerprint.pretrain" in text
    assert "training.learning_rate" in text
    assert "validation/bits_per_byte" in text
    assert "This run holds each step once" in text
    registered = text[text.index("Registered models") :]
    assert registered.splitlines()[1:3] == ["small", "v1"]


def test_the_metrics_are_charts_in_groups(page, shows, run_url, pictures):
    page.goto(f"{run_url}/model-metrics?{MACHINE_LEARNING}")
    groups = ["evaluation", "memory", "speed", "spending", "train", "validation", "workflow"]
    text = shows(*groups, "bits_per_byte")
    page.wait_for_function("document.querySelectorAll('.bars').length >= 5")
    assert is_picture(page, pictures / "metrics.png")
    shown = [line for line in text.splitlines() if line in groups]
    assert list(dict.fromkeys(shown)) == groups


def test_the_loss_is_drawn_over_the_steps(page, shows, run_url, pictures):
    page.goto(f"{run_url}/model-metrics?{MACHINE_LEARNING}")
    shows("Auto-refresh")
    page.get_by_placeholder("Search metric charts").fill("train/loss")
    page.locator(".js-line").first.wait_for(state="attached")
    assert is_picture(page, pictures / "loss.png")


def test_the_machine_has_charts_of_its_own(page, shows, run_url, pictures):
    page.goto(f"{run_url}/system-metrics?{MACHINE_LEARNING}")
    shows("cpu_utilization_percentage", "disk_usage_percentage")
    page.wait_for_function("document.querySelectorAll('.js-line').length >= 6")
    assert is_picture(page, pictures / "system.png")


def test_the_files_of_the_run_can_be_read(page, shows, run_url, pictures):
    page.goto(f"{run_url}/artifacts?{MACHINE_LEARNING}")
    shows("export", "run", "tokenizer")
    page.get_by_text("run", exact=True).last.click()
    shows("plan.json", "resolved.yaml", "budget.json", "funnel.json")
    page.get_by_text("resolved.yaml", exact=True).last.click()
    shows("name: small")
    assert is_picture(page, pictures / "artifacts.png")


def test_the_model_is_registered_under_its_alias(page, shows, run_url, pictures):
    server = f"http://{urlsplit(run_url).netloc}"
    page.goto(f"{server}/#/models/small?{MACHINE_LEARNING}")
    shows("Version 1", "newest", "seedbed.export")
    assert is_picture(page, pictures / "model.png")


def test_the_list_of_runs_has_the_attempts_under_the_run(page, shows, run_url, pictures):
    page.goto(f"{run_url.rsplit('/', 1)[0]}?{MACHINE_LEARNING}")
    shows("small-", "2 matching runs")
    assert is_picture(page, pictures / "runs.png")
