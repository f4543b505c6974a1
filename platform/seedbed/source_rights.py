"""What this user may not read of a local source. File systems leave it out in silence, so it is asked for."""

import os
import posixpath
from collections.abc import Iterable

from seedbed.errors import SourceError

_CURE = "give this user the right to read it"


def check_folders(folders: Iterable[str], source: str) -> None:
    """Raises SourceError where a folder that is not hidden cannot be listed; `source` is the folder they lie in."""
    for folder in folders:
        hidden = any(part.startswith(".") for part in folder[len(source) :].split("/"))
        if not hidden and not _may(folder, os.R_OK | os.X_OK):
            raise SourceError(
                f"cannot look into {folder}: Permission denied; {_CURE}, or take a glob that leaves it out"
            )


def check_files(paths: Iterable[str]) -> None:
    """Raises SourceError where a file cannot be read."""
    closed = [path for path in paths if not _may(path, os.R_OK)]
    if closed:
        others = f" and {len(closed) - 1:,} more" if len(closed) > 1 else ""
        raise SourceError(f"cannot read {closed[0]}{others}: Permission denied; {_CURE}, or take it out of the source")


def check_way_to(path: str) -> None:
    """Raises SourceError where a folder above `path`, at which nothing was found, cannot be looked into."""
    folder = posixpath.dirname(path)
    while folder not in ("", "/") and not os.path.isdir(folder):  # noqa: PTH112 - False also where it is closed
        folder = posixpath.dirname(folder)
    if not _may(folder or "/", os.R_OK | os.X_OK):
        raise SourceError(f"cannot look into {folder}: Permission denied; {_CURE}")


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
