"""Commands of this environment, as somebody who reads them can type them."""

import shlex
import shutil
import sys
from pathlib import Path


def typed(command: str) -> str:
    """`command` as it is where PATH leads to its program in this environment; else with the program's path before it,
    as a shell takes it, from the working directory where it lies below."""
    name, space, rest = command.partition(" ")
    return _program(name) + space + rest


def _program(name: str) -> str:
    own = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not own.exists() or (found is not None and own.samefile(found)):
        return name
    return shlex.quote(str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own))
