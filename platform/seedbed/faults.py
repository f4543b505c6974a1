"""Named points where a test may break a process: the seam for kill tests.

`SEEDBED_FAULT="pretrain.step.7"` kills the process that reaches that point; `"pretrain.step.7=raise"` raises there
instead, and `"pretrain.step.7=hang"` never comes back; several points stand with commas between them.
`SEEDBED_FAULT_ONCE` names a folder: who creates the file with the point's name there acts, everybody after that passes,
so that a restart does not die again and of several ranks one is hit. Without the variable, a point costs one dictionary
lookup.
"""

import ctypes
import os
import signal
from pathlib import Path

FAULT = "SEEDBED_FAULT"
ONCE = "SEEDBED_FAULT_ONCE"


class InjectedFault(Exception):
    """What a point with the action `raise` raises: not a SeedbedError, as a real fault would not be one."""


def point(name: str) -> None:
    """Break here if the environment says so. Raises InjectedFault, or does not return."""
    named = os.environ.get(FAULT)
    if not named:
        return
    actions = dict(fault.partition("=")[::2] for fault in named.split(","))
    if name not in actions or not _is_first(name):
        return
    if actions[name] == "raise":
        raise InjectedFault(f"{name}: broken on purpose by {FAULT}")
    while actions[name] == "hang":
        ctypes.PyDLL(None).sleep(60)  # holds the interpreter's lock, as a call into C++ that never returns may
    os.kill(os.getpid(), signal.SIGKILL)


def _is_first(name: str) -> bool:
    """Whether nobody acted at this point before; true each time where no folder is named."""
    once = os.environ.get(ONCE)
    if not once:
        return True
    try:
        Path(once).mkdir(parents=True, exist_ok=True)
        Path(once, name).touch(exist_ok=False)  # O_CREAT | O_EXCL: one process wins
    except FileExistsError:
        return False
    return True
