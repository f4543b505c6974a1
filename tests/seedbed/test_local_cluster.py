"""What bringing a cluster up does before anything is started."""

import os
import socket
import sys
import time

import pytest

from seedbed import cluster_record, processes
from seedbed.cluster_record import LocalCluster
from seedbed.local_cluster import end_remains

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
