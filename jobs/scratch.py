"""Scratch: a folder of each node for what can be made again. Nobody on another node sees it."""

import os
import stat
import tempfile
from pathlib import Path

from seedbed.errors import InfrastructureError


def scratch_folder(configured: str | None, name: str) -> Path:
    """The folder `name` of this node's scratch, made when it is not there.

    `configured` is the scratch folder itself; without one it is `seedbed-<uid>` in the folder for temporary files.
    Raises InfrastructureError where it belongs to somebody else.
    """
    if configured is None:
        root = Path(tempfile.gettempdir()) / f"seedbed-{os.getuid()}"
        own_folder(root)
    else:
        root = Path(configured)
    path = root / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def own_folder(path: Path) -> None:
    """Make `path`, closed to others: it stands where anybody may make folders. Raises InfrastructureError."""
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.lstat()
    if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid():
        raise InfrastructureError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a folder of your own")
    path.chmod(0o700)
