"""A submitted job's code lies in a folder of its own, where nothing is compiled yet: numba would take some 14 s for it,
in each worker. Where the image has the same kernels, what it has compiled of them holds here too.
"""

import contextlib
import functools
import os
import shutil
import sys
import uuid
from importlib.machinery import PathFinder
from pathlib import Path

import dataprep
from seedbed.bundle import LAUNCH_FILE

FOLDERS = ("kernels",)
"""Of `dataprep`: where compiled functions are."""


@functools.cache
def adopt() -> int:
    """Copy what the installed package has compiled to an unpacked bundle, once a process; how many files that were.

    None where this package is in no bundle, or the sources differ: numba does not notice a change in what a compiled
    function calls.
    """
    mine = Path(dataprep.__file__).parent
    installed = _installed(mine) if (mine.parent / LAUNCH_FILE).exists() else None
    if installed is None or not _are_equal(installed, mine):
        return 0
    with contextlib.suppress(OSError):  # a folder that takes nothing costs time and no more
        return sum(_adopt(installed / folder, mine / folder) for folder in FOLDERS)
    return 0


def _installed(mine: Path) -> Path | None:
    """The folder of another package `dataprep` on the path."""
    for entry in sys.path:
        spec = PathFinder.find_spec("dataprep", [entry])
        if spec is not None and spec.origin is not None and Path(spec.origin).parent != mine:
            return Path(spec.origin).parent
    return None


def _are_equal(one: Path, other: Path) -> bool:
    # Tables that compiled functions have taken in are files beside them.
    names = {path.relative_to(one) for folder in FOLDERS for path in (one / folder).glob("*.*") if path.is_file()}
    return all((other / name).exists() and (one / name).read_bytes() == (other / name).read_bytes() for name in names)


def _adopt(source: Path, target: Path) -> int:
    for path in source.glob("*.py"):
        stamp = path.stat()  # numba knows a source by its size and time of change
        os.utime(target / path.name, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    (target / "__pycache__").mkdir(exist_ok=True)
    compiled = [*(source / "__pycache__").glob("*.nbc"), *(source / "__pycache__").glob("*.nbi")]  # the index last
    for path in compiled:
        whole = target / "__pycache__" / path.name
        if not whole.exists():
            temporary = whole.with_name(f"{uuid.uuid4().hex}.incomplete")  # other workers may be at it
            shutil.copyfile(path, temporary)
            temporary.replace(whole)
    return len(compiled)
