"""Which start of a run may write: the newest.

Ranks outlive a killed driver by some seconds, and the same run may be started again meanwhile. Each start of the group
puts its token into the state directory; a rank whose token is no longer there stops before it writes.
"""

import shutil
import uuid
from pathlib import Path

from jobs.pretrain.task import Superseded, TrainTask


def begin(task: TrainTask) -> str:
    """Take the run over; what earlier starts staged is removed."""
    token = uuid.uuid4().hex
    path = _path(task)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".incomplete")
    temporary.write_text(token)
    temporary.replace(path)
    shutil.rmtree(staging(task, ""), ignore_errors=True)
    return token


def require(task: TrainTask, token: str) -> None:
    """Raises Superseded when a later start has taken the run over."""
    if _path(task).read_text() != token:
        raise Superseded(f"run {task.fingerprint}: started again elsewhere, which goes on with it; this one stops")


def staging(task: TrainTask, token: str) -> Path:
    """Where one start keeps what it has not uploaded."""
    return Path(task.state_dir) / "staging" / task.fingerprint / token


def _path(task: TrainTask) -> Path:
    return Path(task.state_dir) / "metrics" / f"{task.fingerprint}.attempt"
