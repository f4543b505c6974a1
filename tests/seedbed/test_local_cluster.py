"""What bringing a cluster up does before anything is started, and what taking it down tells."""

import json
import os
import socket
import sys
import time

import pytest

from seedbed import cluster_record, local_cluster, processes, reports
from seedbed.cluster_api import api_of
from seedbed.cluster_record import LocalCluster
from seedbed.errors import RayError, UsageError
from seedbed.job_table import rows_of
from seedbed.local_cluster import bring_up, default_name, end_remains, take_down
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory
from seedbed.store import Store

CHILD_LISTENS = """
import socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


@pytest.fixture
def cluster(tmp_path):
    made = cluster_record.with_free_ports(LocalCluster(tmp_path, "here", 1, 0, None, {}), frozenset())
    yield made
    processes.end(made.mark("mlflow"), None, 0)


def is_listening(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_what_a_killed_service_has_left_does_not_keep_its_port(cluster):
    """As after SIGKILL to MLflow's first process alone: its child still serves, and no pid file leads to it."""
    port = cluster.ports["mlflow"]
    command = (sys.executable, "-c", CHILD_LISTENS, str(port))
    processes.start(command, cluster.mark("mlflow"), os.environ, cluster.folder / "log")
    deadline = time.monotonic() + 30
    while not is_listening(port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert cluster_record.with_free_ports(cluster, frozenset()).ports["mlflow"] != port
    end_remains(cluster)
    assert cluster_record.with_free_ports(cluster, frozenset()).ports == cluster.ports


class Ray:
    """A job server: `answers` are its lists of jobs, an error is raised; the last one stays."""

    def __init__(self, *answers):
        self.answers, self.stopped = list(answers), []

    def jobs(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self, submission_id):
        self.stopped.append(submission_id)


RUNNING = [{"type": "SUBMISSION", "status": "RUNNING", "submission_id": "1-1"}]
STOPPED = [{"type": "SUBMISSION", "status": "STOPPED", "submission_id": "1-1"}]
PREEMPTED = {"state": "interrupted", "exit_code": 75, "failure": "preempted", "reason": "Ray was told to end"}
BY_ITSELF = "was told to stop at a checkpoint and has ended"
BY_FORCE = "was ended with its Ray, and loses what it did after its newest checkpoint"


@pytest.fixture
def down(tmp_path, monkeypatch):
    """Takes down a cluster with one job that runs and one that waits, whose Ray is `ray`; what was said. The one that
    runs has left its last word in the store."""
    state = StateDirectory(tmp_path / "state")
    registry = open_registry(None, state)
    folder = cluster_record.cluster_folder(state)
    made = cluster_record.with_free_ports(LocalCluster(folder, "here", 1, 0, None, {}), frozenset())
    cluster_record.write(made)
    cluster_record.make_token(made)
    for run in ("runs-1", "waits-1"):
        new = NewJob(
            key=run, run_id=run, name="tiny", project="p", owner="me", cluster="here",
            store_url=str(tmp_path / "store"), bundle="b", cpus=1, gpus=0,
        )  # fmt: skip
        registry.add_job(new, actor="me")
    [running] = registry.jobs(run_id="runs-1")
    registry.begin_attempt(running, reason="test", actor="me")
    registry.save_cluster(row_of(None), reason="up", actor="me")
    store, place = Store(str(tmp_path / "store")), reports.attempt_path("runs-1", 1)
    for name, word in (("heartbeat", {"sequence": 1, "job": 1, "attempt": 1}), ("end", PREEMPTED)):
        store.write(f"{place}/{name}.json", json.dumps(word).encode())
    monkeypatch.setattr(local_cluster, "_runs", lambda cluster, service: service == "ray")
    monkeypatch.setattr(processes, "marked", lambda mark: [mark])
    monkeypatch.setattr(processes, "end", lambda mark, pid, grace_s: None)
    monkeypatch.setattr(local_cluster, "POLL_S", 0.01)

    def ended(ray, now=False):
        monkeypatch.setattr(local_cluster, "RayApi", lambda address, token: ray)
        said = []
        assert take_down(state, registry, None, now=now, say=said.append)
        return said

    ended.registry = registry
    yield ended
    registry.close()


@pytest.mark.parametrize(
    ("ray", "now", "told", "ended"),
    [
        (Ray(RUNNING, RUNNING, STOPPED), False, ["stopping job 1-1 at a checkpoint"], BY_ITSELF),
        (Ray(RUNNING, RayError("no")), False, ["jobs could not be told to stop: no"], BY_FORCE),
        (Ray(RUNNING), False, ["stopping job 1-1 at a checkpoint"], BY_FORCE),  # for longer than anybody waits
        (Ray(RUNNING), True, [], BY_FORCE),
    ],
)
def test_a_cluster_that_goes_down_tells_of_its_jobs_what_is_known(down, monkeypatch, ray, now, told, ended):
    monkeypatch.setattr(local_cluster, "JOB_STOP_WAIT_S", 0.5)
    monkeypatch.setattr(local_cluster, "SLOW_S", 0.0)
    assert down(ray, now) == [
        *told,
        f"job 1 (runs-1) {ended}; it goes on when here is up again",
        "job 2 (waits-1) waits in the queue until here is up again",
    ]


def test_after_a_cluster_went_down_no_job_is_called_running(down):
    """Its controller is gone: what the job said last has to be written down by who takes the cluster down."""
    down(Ray(STOPPED))
    [ended] = down.registry.jobs(run_id="runs-1")
    [attempt] = down.registry.attempts(ended.id)
    assert (ended.state, attempt.state, attempt.exit_code) == ("queued", "ended", 75)
    assert ended.reason.startswith("attempt 1 failed (preempted: Ray was told to end)")
    [row] = rows_of(down.registry, [ended])
    assert (row.why(0.0), down.registry.cluster("here").state) == ("waits until here is up", "down")


def test_a_cluster_whose_last_round_goes_wrong_is_down_all_the_same(down, monkeypatch):
    def broken(registry, name, say):
        raise ValueError("a defect")

    monkeypatch.setattr(local_cluster, "record_ends", broken)
    with pytest.raises(ValueError, match="a defect"):
        down(Ray(STOPPED))
    assert down.registry.cluster("here").state == ClusterState.DOWN


@pytest.fixture
def shared(tmp_path):
    """A registry as a Postgres would be it: of several machines."""
    registry = open_registry(None, StateDirectory(tmp_path / "state"))
    registry.is_of_this_machine = False
    yield registry
    registry.close()


def row_of(host, state=ClusterState.UP):
    return Cluster("here", "http://127.0.0.1:1", "127.0.0.1:2", state, host=host)


def test_a_cluster_of_another_machine_is_neither_overwritten_nor_taken_down(cluster, shared, tmp_path):
    theirs = shared.save_cluster(row_of("other"), reason="up", actor="test")
    with pytest.raises(UsageError, match="a cluster here is up on other, which has the same registry: choose another"):
        bring_up(StateDirectory(tmp_path / "mine"), shared, None, name="here", say=print)
    local_cluster._register_end(cluster, shared, "taken down")
    assert shared.cluster("here") == theirs
    shared.update_cluster("here", state=ClusterState.DOWN)
    assert local_cluster._register(cluster, shared)
    assert shared.cluster("here").host == socket.gethostname()
    local_cluster._register_end(cluster, shared, "taken down")
    assert shared.cluster("here").state == ClusterState.DOWN


def test_a_cluster_is_named_after_its_machine_where_several_share_the_registry(shared, tmp_path):
    state = StateDirectory(tmp_path / "mine")
    assert default_name(state, shared) == socket.gethostname()
    shared.is_of_this_machine = True
    assert default_name(state, shared) == "local"
    cluster_record.write(LocalCluster(cluster_record.cluster_folder(state), "mine", 1, 0, None, {}))
    assert default_name(state, shared) == "mine"


def test_nobody_asks_on_this_machine_for_a_cluster_that_listens_to_another():
    with pytest.raises(UsageError, match="the cluster here listens to the machine other alone"):
        api_of(row_of("other"))
    assert api_of(row_of(None)).address == api_of(row_of(socket.gethostname())).address == "http://127.0.0.1:1"
