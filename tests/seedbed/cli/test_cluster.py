"""`seedbed cluster` where nothing is up; with a Ray that is: tests/end_to_end/test_cluster.py."""

import json
import socket
import sys

import pytest

from seedbed import cluster_record
from seedbed.cli.entry import main
from seedbed.cluster_record import LocalCluster
from seedbed.local_cluster import require_not_another_machines
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState
from seedbed.state import StateDirectory


@pytest.fixture
def cluster(monkeypatch, capsys, tmp_path):
    """Runs `seedbed cluster ..` in this process: exit code, what it printed, what it printed as errors."""
    for name in ("SEEDBED_STORE", "SEEDBED_STATE", "SEEDBED_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["seedbed", "cluster", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


def test_where_nothing_was_brought_up_status_says_what_to_type(cluster):
    assert cluster("status") == (1, "no cluster is known here; next: seedbed cluster up\n", "")
    code, out, _ = cluster("status", "--json")
    assert (code, json.loads(out)) == (1, {"clusters": []})


def test_down_where_nothing_is_up_is_no_error(cluster):
    code, out, _ = cluster("down")
    assert code == 0 and "nothing was up" in out


def test_down_of_a_cluster_that_nobody_registered_is(cluster):
    code, _, err = cluster("down", "--name", "far")
    assert code == 2 and "no cluster 'far' is registered" in err


def test_down_with_its_name_takes_out_of_use_what_this_machine_had_under_another_host_name(cluster, tmp_path):
    """As `up` says where the registry is on another machine and the state directory was kept."""
    state = StateDirectory(tmp_path / "state")
    known = LocalCluster(cluster_record.cluster_folder(state), "here", 1, 0, None, {})
    known = cluster_record.with_free_ports(known, frozenset())
    cluster_record.write(known)
    cluster_record.make_token(known)
    registry = open_registry(None, state)
    row = Cluster("here", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UP, host="before.invalid")
    registry.save_cluster(row, reason="up", actor="test")
    assert cluster("down", "--state", state.root)[0] == 0
    assert registry.cluster("here").state == ClusterState.UP  # without its name it may be another's that is up
    code, out, _ = cluster("down", "--state", state.root, "--name", "here")
    assert (code, out.splitlines()[0]) == (0, "here is down")
    require_not_another_machines(registry.cluster("here"))
    registry.close()


@pytest.mark.parametrize("option", [("--token-file", "token"), ("--mlflow-uri", "http://host:5000")])
def test_what_goes_with_an_address_is_not_taken_without_one(cluster, option):
    code, _, err = cluster("up", *option)
    assert code == 2 and f"{option[0]} goes with --address" in err


def test_what_goes_with_a_ray_of_this_machine_is_not_taken_with_an_address(cluster):
    code, _, err = cluster("up", "--address", "http://127.0.0.1:1", "--cpus", "2")
    assert code == 2 and "--cpus goes with a Ray that is started here" in err


def test_an_address_where_nobody_answers_is_told_and_not_registered(cluster):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        code, _, err = cluster("up", "--address", f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert code == 1 and "no answer from Ray's job server" in err
    assert cluster("status")[0] == 1
