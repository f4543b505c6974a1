"""Why a job failed, in eight classes, and what each class means for trying again.

An error of ours says its own class (`SeedbedError.failure`); of what others raise, type and message are all there is,
as this package may import neither Ray nor torch. A driver that left no word is judged by its exit code and by what Ray
says.
"""

import errno
import signal
from dataclasses import dataclass
from enum import StrEnum

from dataprep.errors import SeedbedError


class FailureClass(StrEnum):
    """What was at fault."""

    USER_ERROR = "user_error"  # what was asked for cannot be done as asked
    DATA = "data"  # the data, or what was learnt from it, is not what it should be
    OUT_OF_MEMORY = "out_of_memory"
    NODE_LOST = "node_lost"  # a process, a node, the store or the network went away
    PREEMPTED = "preempted"  # the machine was wanted back
    HANG = "hang"  # no progress, again and again
    BUDGET = "budget"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """Whose count a failure goes into."""

    INFRASTRUCTURE = "infrastructure"
    USER = "user"
    NONE = "none"


@dataclass(frozen=True)
class RetryRule:
    """Whether a job that failed in this way is started again by itself."""

    max_retries: int | None  # in one job; None: as often as it happens
    first_pause_s: float  # before the first retry; each one after waits twice as long
    longest_pause_s: float
    fault: Fault

    def pause_s(self, retry: int) -> float:
        """Seconds before retry number `retry`, counted from 1."""
        return float(min(self.first_pause_s * 2.0 ** min(retry - 1, 30), self.longest_pause_s))


NEVER = (0, 0.0, 0.0)
RETRY_RULES: dict[FailureClass, RetryRule] = {
    FailureClass.USER_ERROR: RetryRule(*NEVER, Fault.USER),
    FailureClass.DATA: RetryRule(*NEVER, Fault.USER),
    # Once: it may have been another's memory. Twice at the same place, it is the run that does not fit.
    FailureClass.OUT_OF_MEMORY: RetryRule(1, 60.0, 60.0, Fault.USER),
    FailureClass.NODE_LOST: RetryRule(5, 10.0, 600.0, Fault.INFRASTRUCTURE),
    FailureClass.PREEMPTED: RetryRule(None, 5.0, 60.0, Fault.NONE),
    FailureClass.HANG: RetryRule(2, 30.0, 300.0, Fault.INFRASTRUCTURE),
    FailureClass.BUDGET: RetryRule(*NEVER, Fault.NONE),
    FailureClass.UNKNOWN: RetryRule(1, 30.0, 30.0, Fault.INFRASTRUCTURE),
}

EXIT_CODES: dict[int, FailureClass] = {
    2: FailureClass.USER_ERROR,
    3: FailureClass.BUDGET,
    75: FailureClass.PREEMPTED,  # EX_TEMPFAIL: stopped at a checkpoint by SIGTERM
    126: FailureClass.USER_ERROR,  # the shell: what was named cannot be executed
    127: FailureClass.USER_ERROR,  # the shell: there is no such command
    128 + signal.SIGTERM: FailureClass.PREEMPTED,
}
"""What a driver's exit code says by itself; 1 says nothing but that it failed, and 137 (SIGKILL) not by whom: the
kernel that frees memory sends it, as does a person. It is out of memory where Ray's message says so."""

_BY_TYPE: dict[str, FailureClass] = {
    "MemoryError": FailureClass.OUT_OF_MEMORY,
    "OutOfMemoryError": FailureClass.OUT_OF_MEMORY,  # both Ray's and torch's
    "NodeDiedError": FailureClass.NODE_LOST,
    "RayActorError": FailureClass.NODE_LOST,
    "WorkerCrashedError": FailureClass.NODE_LOST,
    "ObjectLostError": FailureClass.NODE_LOST,
    "RaySystemError": FailureClass.NODE_LOST,
    "GetTimeoutError": FailureClass.NODE_LOST,
}
"""By the name of a type or of one that it inherits from."""

_BY_ERRNO: dict[int, FailureClass] = {
    errno.ENOMEM: FailureClass.OUT_OF_MEMORY,
    errno.ENOSPC: FailureClass.USER_ERROR,
    errno.EDQUOT: FailureClass.USER_ERROR,
    errno.EACCES: FailureClass.USER_ERROR,
    errno.EPERM: FailureClass.USER_ERROR,
    errno.EROFS: FailureClass.USER_ERROR,
}
"""What a machine refuses: a person must make room, or give a right."""

_BY_WORDS: tuple[tuple[str, FailureClass], ...] = (
    # What is looked for first wins: a worker that memory ran out for has died as well.
    ("OutOfMemoryError", FailureClass.OUT_OF_MEMORY),
    ("out of memory", FailureClass.OUT_OF_MEMORY),
    ("can't allocate memory", FailureClass.OUT_OF_MEMORY),  # torch on a CPU
    ("running low on memory", FailureClass.OUT_OF_MEMORY),  # Ray's memory monitor
    ("due to memory pressure", FailureClass.OUT_OF_MEMORY),  # the same, of an actor
    ("runtime_env setup failed", FailureClass.USER_ERROR),
    ("could not be scheduled", FailureClass.NODE_LOST),  # the nodes that were there when it was sent are gone
    ("supervisor actor died", FailureClass.NODE_LOST),
    ("failed to get job supervisor", FailureClass.NODE_LOST),
    ("node died", FailureClass.NODE_LOST),
    ("NodeDiedError", FailureClass.NODE_LOST),
    ("ActorDiedError", FailureClass.NODE_LOST),
    ("WorkerCrashedError", FailureClass.NODE_LOST),
)
"""By what stands in a message of Ray, or at the end of a driver's log."""


def classify(what: BaseException | tuple[int | None, str]) -> FailureClass:
    """The class of an error, or of a driver's exit code (None where Ray knows none) with Ray's message beside it.

    Exit code 0 is no failure: ValueError.
    """
    if isinstance(what, BaseException):
        return _of_error(what)
    code, message = what
    if code == 0:
        raise ValueError("exit code 0 is no failure")
    if code is not None and code < 0:
        code = 128 - code  # a process that a signal ended: Python says -9 where a shell says 137
    return EXIT_CODES.get(code or 1) or _of_words(message)


def _of_error(error: BaseException) -> FailureClass:
    if isinstance(error, SeedbedError):
        if error.transient:
            return FailureClass.NODE_LOST
        return FailureClass(error.failure or FailureClass.UNKNOWN)
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    for kind in type(error).__mro__:
        if kind.__name__ in _BY_TYPE:
            return _BY_TYPE[kind.__name__]
    return _of_words(str(error))


def _of_words(message: str) -> FailureClass:
    return next((found for words, found in _BY_WORDS if words in message), FailureClass.UNKNOWN)
