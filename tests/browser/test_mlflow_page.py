"""The reference run as MLflow's own interface shows it. Each page is kept as a picture; pytest -s says where."""

from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow

MACHINE_LEARNING = "workflowType=machine_learning"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def run_url(browser, reference, new_mlflow_server, pictures):
    """The page of the reference run, on a server over the SQLite file that it was shipped to."""
    from mlflow.tracking.client import MlflowClient

    database = reference.state / "mlflow" / "mlflow.db"
    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("small")
    [run] = client.search_runs([experiment.experiment_id], "tags.`seedbed.kind` = 'run'")
    server = new_mlflow_server(pictures, database)
    server.start()
    return f"{server.url}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"


def is_picture(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 20_000


def test_the_run_says_what_it_is_and_comes_from(browser, run_url, reference, pictures):
    run_id = reference.json("show", "small")["run"]
    browser.open(f"{run_url}?{MACHINE_LEARNING}")
    page = browser.shows(run_id, "Finished", "derived.parameters", "train/loss")
    assert is_picture(browser.screenshot(pictures / "run.png"))
    assert f"{run_id} attempt 1" in page
    assert "seedbed run" in page
    assert "small corpus" in page
    assert "seedbed.fingerprint.pretrain" in page
    assert "training.learning_rate" in page
    assert "validation/bits_per_byte" in page
    assert "This run holds each step once" in page
    registered = page[page.index("Registered models") :]
    assert registered.splitlines()[1:3] == ["small", "v1"]


def test_the_metrics_are_charts_in_groups(browser, run_url, pictures):
    browser.open(f"{run_url}/model-metrics?{MACHINE_LEARNING}")
    groups = ["evaluation", "memory", "speed", "spending", "train", "validation", "workflow"]
    page = browser.shows(*groups, "bits_per_byte")
    browser.wait(lambda: browser.evaluate("document.querySelectorAll('.bars').length") >= 5, "five bars", browser.text)
    assert is_picture(browser.screenshot(pictures / "metrics.png"))
    shown = [line for line in page.splitlines() if line in groups]
    assert list(dict.fromkeys(shown)) == groups


def test_the_loss_is_drawn_over_the_steps(browser, run_url, pictures):
    browser.open(f"{run_url}/model-metrics?{MACHINE_LEARNING}")
    browser.shows("Auto-refresh")
    script = """(() => {
        const field = document.querySelector('input[placeholder^="Search metric charts"]');
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, 'train/loss');
        field.dispatchEvent(new Event('input', {bubbles: true}));
    })()"""
    browser.evaluate(script)
    browser.wait(lambda: browser.evaluate("document.querySelectorAll('.js-line').length"), "a line", browser.text)
    assert is_picture(browser.screenshot(pictures / "loss.png"))


def test_the_machine_has_charts_of_its_own(browser, run_url, pictures):
    browser.open(f"{run_url}/system-metrics?{MACHINE_LEARNING}")
    browser.shows("cpu_utilization_percentage", "disk_usage_percentage")
    browser.wait(lambda: browser.evaluate("document.querySelectorAll('.js-line').length") >= 6, "lines", browser.text)
    assert is_picture(browser.screenshot(pictures / "system.png"))


def test_the_files_of_the_run_can_be_read(browser, run_url, pictures):
    browser.open(f"{run_url}/artifacts?{MACHINE_LEARNING}")
    browser.shows("export", "run", "tokenizer")
    browser.click("run")
    browser.shows("plan.json", "resolved.yaml", "budget.json", "funnel.json")
    browser.click("resolved.yaml")
    browser.shows("name: small")
    assert is_picture(browser.screenshot(pictures / "artifacts.png"))


def test_the_model_is_registered_under_its_alias(browser, run_url, pictures):
    server = f"http://{urlsplit(run_url).netloc}"
    browser.open(f"{server}/#/models/small?{MACHINE_LEARNING}")
    browser.shows("Version 1", "newest", "seedbed.export")
    assert is_picture(browser.screenshot(pictures / "model.png"))


def test_the_list_of_runs_has_the_attempts_under_the_run(browser, run_url, pictures):
    browser.open(f"{run_url.rsplit('/', 1)[0]}?{MACHINE_LEARNING}")
    browser.shows("small-", "2 matching runs")
    assert is_picture(browser.screenshot(pictures / "runs.png"))
