"""The Ray of a run: one of its own, started when first needed and stopped with the driver, or one that is up."""

import contextlib
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from jobs import sessions
from jobs.executor import RayExecutor
from jobs.other_machines import OtherMachines
from jobs.ray_authentication import require_token_auth
from jobs.scratch import own_folder
from seedbed.errors import InfrastructureError
from seedbed.runfile.cluster import ClusterConfig
from seedbed.store import Store

OBJECT_STORE_BYTES = 256 << 20
"""Nothing but small reports passes through Ray's object store: the data goes through files."""

PROBE_TIMEOUT_S = 5.0
END_WITHIN_S = 10.0  # of what was killed


class RayCluster:
    """Where units are done and ranks train: `cluster.address`, or a Ray on this machine, of this process alone.

    `sources` are files that every node must be able to read, as it must the store. `machines` are looked at for as long
    as this is at a Ray that was up.
    """

    def __init__(
        self, config: ClusterConfig, store: Store, sources: Sequence[Path], machines: OtherMachines | None = None
    ) -> None:
        self._config = config
        self._store = store
        self._sources = sources
        self._machines = machines if config.address is not None else None  # a Ray of its own has this machine alone
        self._session: sessions.Held | None = None
        self._executor: RayExecutor | None = None
        self.node_id: str | None = None  # of the Ray node that this process is at, once Ray is there
        self._started = False

    def start(self) -> None:
        """Start Ray, or connect to it, where that was not done yet.

        Raises InfrastructureError when it does not come up, and UsageError for a cluster whose nodes cannot do the run,
        or that lets everybody in.
        """
        if self._started:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
        # The number of accelerators of a task is decided here, not by hiding them from tasks that ask for none.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        with _sigterm_kept_away():
            if self._config.address is None:
                self._start_own()
            else:
                self._connect(self._config.address)
        self._started = True
        import ray

        self.node_id = ray.get_runtime_context().get_node_id()
        if self._config.address is not None:
            from jobs.nodes import require_equal_nodes

            require_equal_nodes(self._store, self._sources)
        if self._machines is not None:
            self._machines.start()

    def _start_own(self) -> None:
        import ray

        # Sockets lie in this folder, and a socket's path has room for 107 bytes: it must be short.
        folder = Path(tempfile.gettempdir()) / f"seedbed-ray-{os.getuid()}"
        own_folder(folder)
        sessions.remove_dead(folder)
        config = self._config
        for is_last in (False, True):
            try:
                context: Any = ray.init(
                    address="local",  # also where RAY_ADDRESS names another
                    num_cpus=max(config.data_workers, config.training_ranks * config.threads_per_rank),
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    object_store_memory=OBJECT_STORE_BYTES,
                    _temp_dir=str(folder),
                )
                break
            except Exception as error:  # Ray raises bare ones here: of a node that took more than its 30 s, for one
                _end_what_started(folder)
                if is_last:
                    raise InfrastructureError(
                        f"Ray did not start, nor at a second try: {error}; see {folder}/session_latest/logs, and"
                        " `seedbed doctor`"
                    ) from error
        self._session = sessions.hold(Path(context.address_info["session_dir"]))

    def _connect(self, address: str) -> None:
        import ray
        from ray._private import ray_constants

        if _is_on_loopback_alone(address):
            ray_constants.ENABLE_RAY_CLUSTER = False  # else Ray looks for it at this machine's address on its network
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (RuntimeError, OSError, ValueError, ConnectionError) as error:
            raise InfrastructureError(
                f"cluster.address {address}: cannot connect to a Ray there: {error}; a driver runs on one of the"
                " cluster's own nodes, with the Python and the Ray that the cluster has"
            ) from error
        try:
            require_token_auth(ray.get_runtime_context().gcs_address)
        except BaseException:
            ray.shutdown()
            raise

    def executor(self) -> RayExecutor:
        """What does the units of the data steps."""
        self.start()
        config = self._config
        self._executor = RayExecutor(config.data_workers, config.max_retries, config.shard_timeout_s)
        return self._executor

    def units_on(self) -> tuple[str | None, ...]:
        """The node of each unit that is at work, None where Ray has but one."""
        return self._executor.units_on if self._executor is not None else ()

    def stop(self) -> None:
        """Stop the run's own Ray; one that was up stays up."""
        if self._started:
            import ray

            try:
                if self._machines is not None:
                    self._machines.stop()
            finally:
                if self._config.address is None:
                    _end_own()
                else:
                    ray.shutdown()
                self._started = False
        if self._session is not None:
            self._session.release()
            self._session = None


def _end_own() -> None:
    """Ray asks its processes with SIGTERM, one after the other, and kills each a second later, as none hears that
    (`_sigterm_kept_away`): five seconds of every run. Here they are killed at once, and so are idle workers."""
    import ray
    from ray._private import worker

    node: Any = worker._global_node
    if node is not None:
        pids = [info.process.pid for infos in node.all_processes.values() for info in infos]
        kill_all = node.kill_all_processes

        def kill_at_once(**options: Any) -> None:
            workers = []
            for pid in pids:
                with contextlib.suppress(psutil.NoSuchProcess):
                    workers += psutil.Process(pid).children(recursive=True)
            kill_all(**options | {"allow_graceful": False})
            _kill(workers)

        node.kill_all_processes = kill_at_once
    ray.shutdown(wait_for_processes=True)


def _kill(processes: list[psutil.Process]) -> None:
    """And wait until they are dead, whoever has to collect them."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + END_WITHIN_S
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.01)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_what_started(folder: Path) -> None:
    """Kill what a Ray that did not come up has left of itself among the children of this process."""
    killed = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(str(folder) in argument for argument in process.cmdline()):
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, timeout=END_WITHIN_S)


def _is_on_loopback_alone(address: str) -> bool:
    """Whether `address` is of this machine, and its port does not answer on this machine's network."""
    from ray._private.services import get_node_ip_address

    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdigit():
        return False
    with socket.socket() as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        return probe.connect_ex((get_node_ip_address(), int(port))) != 0


@contextlib.contextmanager
def _sigterm_kept_away() -> Iterator[None]:
    """Ray's processes inherit that SIGTERM is blocked: who sends it to all processes of a job at once, as batch systems
    and shells do, reaches the driver alone, and the ranks live to write their checkpoint. Ray ends them by other means.
    """
    is_main = threading.current_thread() is threading.main_thread()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own prints its stack and leaves
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
