"""The Ray of a run: started when a step first needs it, stopped with the driver."""

import logging
import os
import signal
import stat
import tempfile
import threading
from pathlib import Path

from jobs.executor import RayExecutor
from seedbed.errors import InfrastructureError
from seedbed.runfile.cluster import ClusterConfig

OBJECT_STORE_BYTES = 256 << 20
"""Nothing but small reports passes through Ray's object store: the data goes through files."""


class LocalCluster:
    """A Ray on this machine, of this process and its user alone."""

    def __init__(self, config: ClusterConfig) -> None:
        self._config = config
        self._started = False

    def start(self) -> None:
        """Start Ray where it does not run yet. Raises InfrastructureError when it does not come up."""
        if self._started:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
        # The number of accelerators of a task is decided here, not by hiding them from tasks that ask for none.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        # Sockets lie in this folder, and a socket's path has room for 107 bytes: it must be short.
        folder = Path(tempfile.gettempdir()) / f"seedbed-ray-{os.getuid()}"
        on_sigterm = signal.getsignal(signal.SIGTERM)
        try:
            _own_folder(folder)
            ray.init(
                num_cpus=max(self._config.data_workers, self._config.training_ranks * self._config.threads_per_rank),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=str(folder),
            )
        except (RuntimeError, OSError, ValueError, ConnectionError) as error:
            raise InfrastructureError(
                f"Ray did not start: {error}; see {folder}/session_latest/logs, and `seedbed doctor`"
            ) from error
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own prints its stack and leaves
        self._started = True

    def executor(self) -> RayExecutor:
        """What does the units of the data steps."""
        self.start()
        config = self._config
        return RayExecutor(config.data_workers, config.max_retries, config.shard_timeout_s)

    def stop(self) -> None:
        if self._started:
            import ray

            ray.shutdown()
            self._started = False


def _own_folder(path: Path) -> None:
    """Make `path`, closed to others: Ray keeps sockets, a token and logs there. Raises InfrastructureError."""
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.lstat()
    if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid():
        raise InfrastructureError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a folder of your own")
    path.chmod(0o700)
