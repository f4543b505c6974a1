"""Named points where a test may break a process: the seam for kill tests.

`SEEDBED_FAULT="pretrain.step.7"` kills the process that reaches that point; `"pretrain.step.7=raise"` raises there
instead. `SEEDBED_FAULT_ONCE` names a file: who creates it acts, everybody after that passes, so that a restart does not
die again and of several ranks one is hit. Without the variable, a point costs one dictionary lookup.
"""

import os
import signal
from pathlib import Path

FAULT = "SEEDBED_FAULT"
ONCE = "SEEDBED_FAULT_ONCE"


class InjectedFault(Exception):
    """What a point with the action `raise` raises: not a SeedbedError, as a real fault would not be one."""


def point(name: str) -> None:
    """Break here if the environment says so. Raises InjectedFault, or does not return."""
    fault = os.environ.get(FAULT)
    if not fault:
        return
    where, _, action = fault.partition("=")
    if where != name or not _is_first():
        return
    if action == "raise":
        raise InjectedFault(f"{name}: broken on purpose by {FAULT}")
    os.kill(os.getpid(), signal.SIGKILL)


def _is_first() -> bool:
    """Whether nobody acted before; true each time where no file is named."""
    once = os.environ.get(ONCE)
    if not once:
        return True
    try:
        Path(once).touch(exist_ok=False)  # O_CREAT | O_EXCL: one process wins
    except FileExistsError:
        return False
    return True
