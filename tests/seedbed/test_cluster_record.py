import socket
from pathlib import Path

import pytest

from seedbed import cluster_record
from seedbed.cluster_record import LocalCluster
from seedbed.errors import StoreError
from seedbed.state import StateDirectory


@pytest.fixture
def cluster(tmp_path: Path) -> LocalCluster:
    folder = cluster_record.cluster_folder(StateDirectory(tmp_path / "state"))
    return LocalCluster(folder, "local", 4, None, "postgresql://me:secret@host/mlflow", {})


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_written_is_read_again_and_its_owners_alone(cluster, tmp_path):
    cluster = cluster_record.with_free_ports(cluster, frozenset())
    cluster_record.write(cluster)
    assert cluster_record.read(StateDirectory(tmp_path / "state")) == cluster
    assert (mode(cluster.folder), mode(cluster.folder / "cluster.json")) == (0o700, 0o600)


def test_a_place_without_a_cluster_has_none_and_a_broken_record_is_told(cluster, tmp_path):
    assert cluster_record.read(StateDirectory(tmp_path / "other")) is None
    (cluster.folder / "cluster.json").write_text("{")
    with pytest.raises(StoreError, match=r"cannot read .*cluster.json"):
        cluster_record.read(StateDirectory(tmp_path / "state"))


def test_a_token_is_made_once_and_closed_to_others_again(cluster):
    cluster_record.make_token(cluster)
    token = cluster.token_file.read_text()
    assert len(token) == 64
    cluster.token_file.chmod(0o644)
    cluster_record.make_token(cluster)
    assert (cluster.token_file.read_text(), mode(cluster.token_file)) == (token, 0o600)


def test_a_file_of_another_mode_that_stands_there_is_replaced(cluster):
    path = cluster.folder / "file"
    path.write_text("old")
    path.chmod(0o666)
    cluster_record.write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert [entry.name for entry in cluster.folder.iterdir()] == ["file"]


def test_ports_stay_where_they_are_free_and_move_where_they_are_not(cluster):
    first = cluster_record.with_free_ports(cluster, frozenset())
    assert len(set(first.ports.values())) == 5
    with socket.create_server(("127.0.0.1", first.ports["mlflow"])), socket.create_server(("", first.ports["gcs"])):
        second = cluster_record.with_free_ports(first, frozenset())
        kept = cluster_record.with_free_ports(first, frozenset({"mlflow"}))  # it is the cluster's own that listens
    moved = {name for name in first.ports if second.ports[name] != first.ports[name]}
    assert moved == {"mlflow", "gcs"}
    assert kept.ports["mlflow"] == first.ports["mlflow"]
