"""What runs on this machine for a cluster that stays up: Ray's head, an MLflow server, the controller.

One command, one environment and one question ("do you answer?") each; `local_cluster` starts, watches and ends them.
"""

import hashlib
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from seedbed import processes
from seedbed.cluster_record import LocalCluster
from seedbed.errors import RayError, SeedbedError
from seedbed.ray_api import RayApi, read_token
from seedbed.registry.database import absolute_url
from seedbed.registry.registry import Registry

RAY, MLFLOW, CONTROLLER = "ray", "mlflow", "controller"

OBJECT_STORE_BYTES = 256 << 20  # as a run's own Ray: nothing but small reports passes through it
JOB_STOP_WAIT_S = 600
"""From SIGTERM to SIGKILL of a job: a step and a checkpoint of all ranks. Ray's own 3 s are too few for any."""
MAX_TEMP_DIR_LENGTH = 32
"""Ray's sockets lie 75 bytes deeper (`/session_<time>_<pid>/sockets/<name>`), and a socket's path has room for 107."""
HEARTBEAT_STALE_S = 60.0
ANSWER_TIMEOUT_S = 5.0
# Jobs inherit Ray's environment: no way into a database may stand there, nor another Ray's address or token.
_NOT_FOR_RAY = frozenset(
    {
        *("SEEDBED_REGISTRY", "SEEDBED_STATE", "SEEDBED_STORE", "SEEDBED_MLFLOW_STORE"),
        *("MLFLOW_BACKEND_STORE_URI", "MLFLOW_REGISTRY_STORE_URI", "PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE"),
        *("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_TOKEN", "RAY_TMPDIR"),
    }
)


@dataclass(frozen=True)
class Service:
    """A process that stays. `fault` says in a sentence why it does not answer; None when it does."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    fault: Callable[[], str | None]
    start_timeout_s: float
    stop_grace_s: float
    address: str = ""
    keeps_work: bool = False  # ending it loses work: never ended because it is slow to answer


def services(cluster: LocalCluster, registry: Registry, registry_url: str | None) -> list[Service]:
    """What is to run for `cluster`."""
    wanted = [_ray(cluster), _mlflow(cluster)] if cluster.has_ray else []
    wanted.append(_controller(cluster, registry, registry_url))
    return wanted


def _ray(cluster: LocalCluster) -> Service:
    ports = cluster.ports
    command = [
        *(sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
        f"--port={ports['gcs']}",
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={ports['job_server']}"),
        f"--dashboard-agent-listen-port={ports['agent']}",
        f"--ray-client-server-port={ports['client_server']}",
        *("--min-worker-port=0", "--max-worker-port=0"),  # any free one: the default range is every other Ray's as well
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        "--include-log-monitor=false",  # brings workers' output to the driver's terminal, which no job wants
        f"--temp-dir={ray_folder(cluster)}",
    ]
    command += [f"--num-cpus={cluster.cpus}"] if cluster.cpus is not None else []
    command += [f"--num-gpus={cluster.gpus}"] if cluster.gpus is not None else []
    inherited = {name: value for name, value in _inherited().items() if name not in _NOT_FOR_RAY}
    environment = {"RAY_JOB_STOP_WAIT_TIME_S": str(JOB_STOP_WAIT_S), **inherited} | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(cluster.token_file),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray takes the network's address, and listens there
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # jobs have been stopped before; Ray would wait 30 s for actors
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # as in a Ray of a run's own: GPUs are not hidden from tasks
        "SPT_NOENV": "1",  # workers change their title: without this over their environment, and so over the mark
    }

    def fault() -> str | None:
        try:
            api = RayApi(cluster.job_server, read_token(cluster.token_file))
            api.version()
            if not any(node.alive and node.is_head for node in api.nodes()):
                return "its head has not joined yet"
        except (RayError, SeedbedError) as error:
            return str(error)
        return None

    return Service(RAY, tuple(command), environment, fault, 180.0, 30.0, cluster.job_server, keeps_work=True)


def ray_folder(cluster: LocalCluster) -> Path:
    """Ray's folder for sockets and logs, of a name that is short and this state directory's alone."""
    name = f"seedbed-{os.getuid()}-{hashlib.sha256(str(cluster.folder).encode()).hexdigest()[:8]}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if len(str(folder)) <= MAX_TEMP_DIR_LENGTH else Path("/tmp") / name


def _mlflow(cluster: LocalCluster) -> Service:
    folder = cluster.folder / "mlflow"
    command = [
        *(sys.executable, "-P", "-m", "mlflow", "server", "--workers=1"),
        *("--host=127.0.0.1", f"--port={cluster.ports['mlflow']}", "--allowed-hosts=localhost:*,127.0.0.1:*"),
    ]
    environment = _inherited() | {
        # By environment, not by option: everybody on the machine can read a command line, and a URL holds a password.
        "MLFLOW_BACKEND_STORE_URI": cluster.mlflow_store or f"sqlite:///{folder / 'mlflow.db'}",
        "MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # evaluation of language models' traces, by further processes
    }

    def fault() -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", cluster.ports["mlflow"], timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("GET", "/health")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"no answer from {cluster.mlflow_uri}/health: {error}"
        finally:
            connection.close()
        return None if status == 200 else f"{cluster.mlflow_uri}/health answers {status}"

    return Service(MLFLOW, tuple(command), environment, fault, 180.0, 15.0, cluster.mlflow_uri)


def _controller(cluster: LocalCluster, registry: Registry, registry_url: str | None) -> Service:
    environment = _inherited() | {"SEEDBED_STATE": str(cluster.folder.parent)}
    if registry_url is not None:
        environment["SEEDBED_REGISTRY"] = absolute_url(registry_url)

    def fault() -> str | None:
        # Whoever leads reports; this one waits while another does.
        at = max((row.controller.get("at", 0.0) for row in registry.clusters()), default=0.0)
        pid = cluster.pid(CONTROLLER)
        process = processes.find(pid, cluster.mark(CONTROLLER)) if pid is not None else None
        if process is None or at < process.create_time():
            return "it has not reported yet"
        age = time.time() - at
        return None if age < HEARTBEAT_STALE_S else f"its last report is {age:.0f} s old"

    return Service(CONTROLLER, (sys.executable, "-P", "-m", "seedbed.controller"), environment, fault, 60.0, 30.0)


def _inherited() -> dict[str, str]:
    """This process's environment, with paths that mean the same in another working directory."""
    environment = dict(os.environ)
    if paths := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths.split(os.pathsep))
    return environment
