"""Which start of a run may write: the newest.

Ranks outlive a killed driver by some seconds, or longer on a node that is cut off, and the same run may be started
again meanwhile. Each start of the group puts its token into the store, which every node sees; a rank whose token is no
longer there stops before it writes.
"""

import shutil
import uuid
from pathlib import Path

from jobs.pretrain.task import Superseded, TrainTask
from jobs.scratch import scratch_folder
from seedbed.store import Store


def begin(task: TrainTask) -> str:
    """Take the run over. Raises StoreError."""
    token = uuid.uuid4().hex
    Store(task.store_url).write(_path(task), token.encode())
    return token


def require(task: TrainTask, token: str) -> None:
    """Raises Superseded when a later start has taken the run over, and StoreError."""
    if Store(task.store_url).read(_path(task)).decode() != token:
        raise Superseded(f"run {task.fingerprint}: started again elsewhere, which goes on with it; this one stops")


def staging(task: TrainTask, token: str) -> Path:
    """Where one start keeps, on this node, what it has not uploaded."""
    return _all_staging(task) / token


def remove_older_staging(task: TrainTask, token: str) -> None:
    """Remove what starts before the one of `token` have left on this node. All its ranks may do so at once."""
    for folder in _all_staging(task).iterdir():
        if folder.name != token:
            shutil.rmtree(folder, ignore_errors=True)


def _all_staging(task: TrainTask) -> Path:
    return scratch_folder(task.scratch_dir, f"staging/{task.fingerprint}")


def _path(task: TrainTask) -> str:
    return f"{task.artifact_path}/attempt"
