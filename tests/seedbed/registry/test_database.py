"""Where a registry may be, what is said when it cannot be opened, and that passwords are never shown."""

import os
import subprocess
import sys

import pytest

from seedbed.errors import RegistryError, RegistryUnreachable, UsageError
from seedbed.registry import database
from seedbed.registry.database import Database, open_registry
from seedbed.registry.network_mounts import network_file_system
from seedbed.state import StateDirectory

SECRET = "hunter%2F2"


def test_without_a_url_it_is_a_file_of_the_state_directory_in_wal(state):
    registry = open_registry(None, state)
    assert registry.name == f"sqlite:///{state.root / 'registry.db'}"
    with registry._database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    registry.close()


def test_a_relative_file_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Database("sqlite:///new/registry.db")
    monkeypatch.chdir("/")
    assert made.name == f"sqlite:///{tmp_path}/new/registry.db"
    with made.write():
        assert (tmp_path / "new" / "registry.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"nonsense {SECRET}", "--registry is not the URL of a database; expected sqlite:///PATH or postgresql://"),
        (f"postgresql://ann:{SECRET}@db:port/x", "--registry is not the URL of a database; expected"),
        (f"mysql://ann:{SECRET}@db/x", "--registry is a database of the kind 'mysql'; expected sqlite:///PATH"),
        (f"oracle+what://ann:{SECRET}@db/x", "--registry is a"),
        ("sqlite://", "--registry sqlite:// names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_what_is_no_registry_is_refused_without_showing_it(url, message, state):
    with pytest.raises(UsageError, match=message) as refused:
        open_registry(url, state)
    assert "hunter" not in str(refused.value)


def test_a_file_that_is_no_database_is_told_of(tmp_path, state):
    (tmp_path / "registry.db").write_text("minutes of the last meeting " * 99)
    with pytest.raises(
        RegistryError, match=r"registry.db refused: file is not a database|registry.db cannot be used: file"
    ):
        open_registry(f"sqlite:///{tmp_path / 'registry.db'}", state)


def test_a_place_that_cannot_be_made_is_told_of(tmp_path, state):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match=r"cannot make .*file for the registry: .*; take another --registry"):
        open_registry(f"sqlite:///{tmp_path / 'file' / 'registry.db'}", state)


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/ann/fast ext4 rw 0 0
bucket /mnt/my\\040bucket fuse.s3fs rw 0 0
overlay /image fuse.fuse-overlayfs rw 0 0
/dev/vdc /later ext4 rw 0 0
server:/later /later lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/var/state", None),
        ("/home/ann/state", "nfs4"),
        ("/homes/ann", None),
        ("/home/ann/fast/state", None),
        ("/mnt/my bucket/state", "fuse.s3fs"),
        ("/image/state", None),
        ("/later/state", "lustre"),
    ],
)
def test_a_file_system_of_the_network_is_known_by_its_mount(path, found):
    from pathlib import Path

    assert network_file_system(Path(path), MOUNTS) == found


def test_sqlite_on_a_file_system_of_the_network_is_refused(monkeypatch, state):
    monkeypatch.setattr(database, "network_file_system", lambda path: "nfs4")
    with pytest.raises(
        RegistryError, match=r"network file system \(nfs4\), where SQLite loses data: take a local --state"
    ):
        open_registry(None, state)
    assert not (state.root / "registry.db").exists()


def test_the_password_is_in_no_name_and_no_error(monkeypatch):
    pytest.importorskip("psycopg")
    url = f"postgres://ann:{SECRET}@127.0.0.1:1/runs?sslpassword={SECRET}"
    made = Database(url)
    assert made.name == "postgresql+psycopg://ann:***@127.0.0.1:1/runs?sslpassword=%2A%2A%2A"
    with pytest.raises(RegistryUnreachable, match=r"does not answer: .*refused") as refused, made.read():
        pass
    assert refused.value.transient
    for text in (str(refused.value), repr(made.engine), made.name):
        assert "hunter" not in text


def test_the_command_line_takes_it_from_the_environment_and_shows_no_password():
    environment = os.environ | {"SEEDBED_REGISTRY": f"postgresql://ann:{SECRET}@db/runs"}
    done = subprocess.run(
        [sys.executable, "-m", "seedbed.cli", "--help"], env=environment, capture_output=True, text=True, check=True
    )
    assert "SEEDBED_REGISTRY" in done.stdout
    assert "hunter" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_wrong_password_is_told_of_without_the_right_one(postgres, state):
    wrong = postgres.url("postgres").replace(":p%40ss", ":wrong-p%40ss")
    with pytest.raises(RegistryUnreachable, match="password authentication failed") as refused:
        open_registry(wrong, state)
    assert "ss/" not in str(refused.value)
    assert "%40" not in str(refused.value)


@pytest.mark.slow
def test_postgres_is_reached_through_its_socket(postgres, state):
    name = postgres.make_database().rpartition("/")[2]
    registry = open_registry(postgres.url(name).replace("127.0.0.1", "") + f"?host={postgres.folder}", state)
    assert registry.jobs() == []
    registry.close()


@pytest.mark.slow
def test_a_registry_outlives_its_postgres(postgres, state):
    registry = open_registry(postgres.make_database(), state)
    postgres.stop()
    try:
        with pytest.raises(RegistryUnreachable, match=r"\*\*\*@127.0.0.1:\d+/test_\w+ does not answer") as refused:
            registry.jobs()
        assert postgres.password not in str(refused.value)
    finally:
        postgres.start()
    assert registry.jobs() == []
    registry.close()


def test_the_registry_of_a_state_directory_is_its_owners_alone(tmp_path):
    state = StateDirectory(tmp_path / "state")
    old = os.umask(0o022)
    try:
        opened = open_registry(None, state)
        opened.save_dashboard_url("http://127.0.0.1:8780")
        assert opened.dashboard_url() == "http://127.0.0.1:8780"
        modes = {path.name: path.stat().st_mode & 0o777 for path in state.root.glob("registry.db*")}
        assert modes == dict.fromkeys(("registry.db", "registry.db-wal", "registry.db-shm"), 0o600)
        opened.close()
        (state.root / "registry.db").chmod(0o644)  # as an older Seedbed made it
        open_registry(None, state).close()
        assert (state.root / "registry.db").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(old)
