"""A place for a registry in each kind of database: SQLite, and a real Postgres that is started for the session."""

import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedbed.registry.database import open_registry
from seedbed.registry.records import NewJob
from seedbed.registry.registry import Registry
from seedbed.state import StateDirectory

PATIENCE_S = 60.0
_WORKING = """
import sys
from seedbed.registry.database import open_registry
from seedbed.registry.states import *
from seedbed.errors import *
from seedbed.state import StateDirectory

registry = open_registry(sys.argv[1], StateDirectory("."))
print("ready", flush=True)
sys.stdin.readline()
"""
"""How processes of these tests begin: with the registry open, waiting for a line."""


@pytest.fixture(scope="session")
def working() -> str:
    return _WORKING


def _programs() -> Path | None:
    """The folder of initdb and postgres: where PATH leads, or the newest of Debian's."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Postgres:
    """A server of its own in a folder of its own, on loopback and a socket. It refuses to run as root, so root's runs
    as `postgres` or `nobody`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self.folder = programs, folder
        self._user = None if os.getuid() else _unprivileged()
        self.password = "p@ss/" + secrets.token_hex(8)  # with what has to be quoted in a URL
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password_file = folder / "password"
        password_file.write_text(self.password)
        if self._user is not None:
            for path in (folder, password_file):
                shutil.chown(path, self._user)
        words = ["--username=seedbed", f"--pwfile={password_file}", "--auth=scram-sha-256", "--no-sync"]
        words += ["--encoding=UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(
            [programs / "initdb", *words, "-D", folder / "data"],
            user=self._user,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        self.start()

    def start(self) -> None:
        import psycopg

        words = ["-c", "fsync=off", "-p", str(self.port), "-h", "127.0.0.1", "-k", self.folder]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *words],
                user=self._user,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                said = (self.folder / "log").read_text()
                assert self._process.poll() is None, said
                assert time.monotonic() < until, said
                time.sleep(0.05)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # "fast": clients are sent away
        self._process.wait(PATIENCE_S)

    def url(self, database: str) -> str:
        password = self.password.replace("@", "%40").replace("/", "%2F")
        return f"postgresql://seedbed:{password}@127.0.0.1:{self.port}/{database}"

    def make_database(self, template: str = "template1") -> str:
        """The URL of a new database that is empty, or as `template` is."""
        import psycopg

        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
        return self.url(name)


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    pytest.skip(f"Postgres does not run as {getpass.getuser()}, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = _programs()
    if programs is None:
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'seedbed[postgres]')")
    # Not below pytest's folder, which the server's user may not enter; a socket's path has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="seedbed-postgres-", dir="/tmp"))
    server = Postgres(programs, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry without rows: migrating one takes longer than most tests."""
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    open_registry(f"sqlite:///{path}", StateDirectory(path.parent)).close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a database that is a registry without rows."""
    url = postgres.make_database()
    open_registry(url, StateDirectory(".")).close()
    return url.rpartition("/")[2]


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a registry."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres").make_database())


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A registry without rows."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "registry.db")
        return f"sqlite:///{tmp_path / 'registry.db'}"
    server, template = (request.getfixturevalue(name) for name in ("postgres", "postgres_template"))
    return str(server.make_database(template))


@pytest.fixture
def open_it(url: str, tmp_path: Path) -> Iterator[Callable[[], Registry]]:
    """Opens the registry, as often as one likes."""
    opened = []

    def open_it() -> Registry:
        opened.append(open_registry(url, StateDirectory(tmp_path / "state")))
        return opened[-1]

    yield open_it
    for registry in opened:
        registry.close()


@pytest.fixture
def registry(open_it: Callable[[], Registry]) -> Registry:
    return open_it()


@pytest.fixture
def new() -> NewJob:
    return NewJob(
        key="key-1",
        run_id="demo-0a1b2c3d",
        name="demo",
        project="web",
        owner="ann",
        cluster="local",
        store_url="/store",
        bundle="f00d",
        cpus=4.0,
        gpus=0.0,
        summary={"num_steps": 12},
    )
