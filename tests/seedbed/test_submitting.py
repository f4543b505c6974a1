"""What a submission is checked for before anybody agrees to it."""

import socket

import pytest

from seedbed.errors import UsageError
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState
from seedbed.runfile.load import load_run
from seedbed.store import Store
from seedbed.submitting import draft


@pytest.fixture
def drafted(run_file, state, tmp_path):
    """`drafted("host")`: a draft for a cluster on this port of loopback of the machine `host`, where nobody answers."""
    registry = open_registry(None, state)

    def ask(host):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{closed.getsockname()[1]}"
            row = Cluster("here", address, "", ClusterState.UP, host=host)
            registry.save_cluster(row, reason="up", actor="test")
            return draft(Store(str(tmp_path / "store")), registry, load_run(run_file))

    yield ask
    registry.close()


def test_this_machine_sees_its_own_store_though_its_name_does_not_resolve(drafted, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "box.invalid")
    assert drafted("box.invalid").cluster.host == "box.invalid"


def test_another_machine_does_not(drafted):
    with pytest.raises(UsageError, match=r"the cluster at other\.invalid does not see it"):
        drafted("other.invalid")
