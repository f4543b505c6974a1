"""What is kept of a cluster of this machine in `STATE/cluster/`, so that the next command finds it again.

token             of Ray, mode 0600
cluster.json      how it was brought up, mode 0600
ray.pid ..        of each service's main process
logs/             what the services print
mlflow/           MLflow's database, unless it is elsewhere, and its artifacts
"""

import json
import os
import secrets
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seedbed.errors import StoreError
from seedbed.state import StateDirectory

_RECORD = "cluster.json"
_PORTS = ("gcs", "job_server", "agent", "client_server", "mlflow")


@dataclass(frozen=True)
class LocalCluster:
    """A cluster of this machine, or, without a Ray, the controller of clusters that are elsewhere."""

    folder: Path
    name: str | None  # None: no Ray here
    cpus: int | None  # that Ray gives out; None: those of the machine. The same for `gpus`
    gpus: int | None
    mlflow_store: str | None  # a database URL, perhaps with a password; None: SQLite in `folder`
    ports: dict[str, int]

    @property
    def has_ray(self) -> bool:
        return self.name is not None

    @property
    def job_server(self) -> str:
        return f"http://127.0.0.1:{self.ports['job_server']}"

    @property
    def gcs_address(self) -> str:
        return f"127.0.0.1:{self.ports['gcs']}"

    @property
    def mlflow_uri(self) -> str:
        return f"http://127.0.0.1:{self.ports['mlflow']}"

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def mark(self, service: str) -> str:
        """What the processes of a service bear in their environment."""
        return f"{self.folder}/{service}"

    def pid(self, service: str) -> int | None:
        try:
            return int((self.folder / f"{service}.pid").read_text())
        except (OSError, ValueError):
            return None

    def log(self, service: str) -> Path:
        return self.folder / "logs" / f"{service}.log"


def cluster_folder(state: StateDirectory) -> Path:
    """`STATE/cluster`, closed to others, with all links followed: it stands in the marks of processes."""
    folder = state.folder("cluster").resolve()
    folder.chmod(0o700)
    return folder


def read(state: StateDirectory) -> LocalCluster | None:
    """The cluster of this state directory, or None. Raises StoreError when its record cannot be read."""
    path = state.root / "cluster" / _RECORD
    if not path.exists():
        return None
    try:
        return LocalCluster(folder=path.parent.resolve(), **json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"cannot read {path}: {error}; end its processes by hand, then remove it") from error


def write(cluster: LocalCluster) -> None:
    """Keep it, whole or not at all."""
    values = asdict(cluster)
    del values["folder"]
    write_private(cluster.folder / _RECORD, json.dumps(values))


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, never seen half written or open to others. Raises StoreError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(text)
            f.flush()
            os.fsync(f.fileno())
        new.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; free some room, or take another --state") from error


def make_token(cluster: LocalCluster) -> None:
    """Write a token where there is none; one that is there is closed to others."""
    if cluster.token_file.exists():
        cluster.token_file.chmod(0o600)
    else:
        write_private(cluster.token_file, secrets.token_hex(32))  # as long as Ray's own


def with_free_ports(cluster: LocalCluster, keep: frozenset[str]) -> LocalCluster:
    """The same cluster on ports that are free now, its old ones where they are; those in `keep` are its own."""
    ports = {name: number for name, number in cluster.ports.items() if name in keep}
    with ExitStack() as held:
        for name in _PORTS:
            if name not in ports:
                taken = held.enter_context(socket.socket())
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port just left counts as taken
                try:
                    taken.bind(("127.0.0.1", cluster.ports.get(name, 0)))
                except OSError:
                    taken.bind(("127.0.0.1", 0))
                ports[name] = taken.getsockname()[1]
    return replace(cluster, ports=ports)
