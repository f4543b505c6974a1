"""How to call a program of this environment from where somebody reads that they may."""

import shlex
import shutil
import sys
from pathlib import Path


def called(name: str) -> str:
    """`name` where PATH leads to this environment's; else its path as a shell takes it, from here if it lies below."""
    own = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not own.exists() or (found is not None and own.samefile(found)):
        return name
    return shlex.quote(str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own))
