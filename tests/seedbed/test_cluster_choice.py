"""What is told of a cluster that a job goes to, when nobody there answers."""

import socket
import time
from dataclasses import asdict, replace

import pytest

from seedbed.cluster_choice import nodes_of, what_it_waits_for
from seedbed.ray_node import Node
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster, Job
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory

TOTAL = {"CPU": 2.0}
NODE = asdict(Node("id", "127.0.0.1", "host", True, True, None, TOTAL, {}, None, None, None, None, None, ()))


@pytest.fixture
def silent():
    """A cluster of this machine that the controller saw a moment ago, and at whose port nobody listens now."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        yield Cluster("local", address, "", ClusterState.UP, snapshot={"at": time.time(), "nodes": [NODE]})


def test_a_ray_that_refuses_the_connection_is_told_however_new_the_last_look_is(silent):
    nodes, note = nodes_of(silent)
    assert [node.resources_total for node in nodes] == [{"CPU": 2.0}]
    assert note.startswith("the cluster local does not answer: ") and "Connection refused" in note
    assert note.endswith(
        "; its resources are taken as they were 0 s ago, and a job waits until it does: `seedbed cluster up`"
    )
    nodes, note = nodes_of(replace(silent, snapshot={}))
    assert (nodes, "; its resources could not be checked, and a job waits" in note) == ([], True)


def test_a_cluster_that_another_machine_asks_is_believed_for_a_minute(silent):
    theirs = replace(silent, host="another")
    assert nodes_of(theirs)[1] is None
    note = nodes_of(replace(theirs, snapshot=theirs.snapshot | {"at": time.time() - 100}))[1]
    assert note.startswith("the resources of local are those of 100 s ago: the cluster local listens to the machine")


def test_a_job_that_goes_back_into_the_queue_waits_for_a_cluster_that_is_down_or_silent(silent, tmp_path):
    registry = open_registry(None, StateDirectory(tmp_path / "state"))
    job = Job("k", "r-1", "r", "p", "ann", "local", "/s", "b", 1, 0, id=5)
    assert what_it_waits_for(registry, job) == "the cluster local is not registered any more: the job waits until it is"
    registry.save_cluster(silent, reason="up", actor="ann")
    assert what_it_waits_for(registry, job).startswith("the cluster local does not answer: ")
    registry.update_cluster("local", state=ClusterState.DOWN)
    assert what_it_waits_for(registry, job) == "the cluster local is down: the job waits until `seedbed cluster up`"
    registry.close()
