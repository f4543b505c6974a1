import socket
from dataclasses import replace

import pytest

from seedbed import submission
from seedbed.errors import UsageError
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store
from seedbed.submission import check_reachable, is_this_machine, placed_tracking, submitted_launch

ELSEWHERE = "http://192.0.2.7:8265"  # an address that is nobody's (RFC 5737)


@pytest.fixture
def make(run_file, tmp_path):
    store = Store(str(tmp_path / "store"))

    def made(*overrides):
        return make_plan(load_run(run_file, overrides), store), store

    return made


def test_the_launch_of_a_submission_is_the_same_wherever_mlflow_is(make):
    """So a retry is sent to where MLflow is now, and the same submission is one job."""
    plan, store = make()
    launch = submitted_launch(plan, store, project="web", until="shards")
    assert (launch.run_id, launch.store_url, launch.until) == (plan.run_id, store.place, "shards")
    assert (launch.tracking["mlflow_uri"], launch.tracking["experiment"]) == (None, "web")
    assert launch.placed(plan).run.training == plan.run.training


def test_an_attempt_is_tracked_where_the_cluster_says_unless_the_run_file_does(make):
    plan, store = make()
    launch = submitted_launch(plan, store, project="web")
    there = placed_tracking(launch.tracking, "http://mlflow:5000", "http://127.0.0.1:8780")
    placed = replace(launch, tracking=there).placed(plan).run.tracking
    assert (placed.enabled, placed.mlflow_uri, placed.experiment) == (True, "http://mlflow:5000", "web")
    assert placed.dashboard_url == "http://127.0.0.1:8780"

    own = ("tracking.mlflow_uri=http://mine:1", "tracking.experiment=own", "tracking.dashboard_url=https://dash")
    launch = submitted_launch(*make(*own), project="web")
    there = placed_tracking(launch.tracking, "http://mlflow:5000", "http://127.0.0.1:8780")
    assert (there["mlflow_uri"], there["experiment"], there["dashboard_url"]) == (
        "http://mine:1",
        "own",
        "https://dash",
    )


@pytest.mark.parametrize("uri", [None, "sqlite:////home/ana/mlflow.db"])
def test_without_a_server_nothing_is_tracked_into_a_file_on_some_node(make, uri):
    plan, store = make()
    assert placed_tracking(submitted_launch(plan, store).tracking, uri, None)["enabled"] is False


def test_files_of_this_machine_are_refused_for_a_cluster_elsewhere(make, monkeypatch):
    plan, store = make()
    check_reachable(plan, store, "http://127.0.0.1:8265")
    with pytest.raises(UsageError) as refused:
        check_reachable(plan, store, ELSEWHERE)
    assert str(refused.value) == (
        f"the store {store.url} is a folder of this machine, and the cluster at 192.0.2.7 does not see it: take a"
        " store that both see (--store s3://..., or a folder of a network's file system)"
    )
    shared = store.local_path("")
    monkeypatch.setattr(submission, "network_file_system", lambda path: "nfs4" if path == shared else None)
    with pytest.raises(UsageError, match=r"a\.warc\.gz is a file of this machine, .* crawl files are not sent along"):
        check_reachable(plan, store, ELSEWHERE)
    monkeypatch.setattr(submission, "network_file_system", lambda path: "nfs4")
    check_reachable(plan, store, ELSEWHERE)


def test_this_machine_is_known_by_its_names_and_addresses():
    assert is_this_machine("localhost")
    assert is_this_machine("127.0.0.1")
    assert is_this_machine("::1")
    assert not is_this_machine("192.0.2.7")
    assert not is_this_machine("nowhere.invalid")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.7", 1))  # sends nothing
        assert is_this_machine(probe.getsockname()[0])
