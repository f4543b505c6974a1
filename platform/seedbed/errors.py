"""The control plane's part of the tree of errors; the root and the data's part are in `dataprep.errors`."""

from dataprep.errors import SeedbedError

RUN_AGAIN = "run the same command again"
GOES_ON = "the same command goes on"
"""How errors name what mends them. Nobody types the command of a job: `jobs.ending` says `seedbed retry` instead."""


class UsageError(SeedbedError):
    """What was asked for cannot be done as asked: a wrong key, a missing path, an unknown run."""

    exit_code = 2
    failure = "user_error"


class RunFileError(UsageError):
    """The run file does not say what it should."""


class SourceError(UsageError):
    """A source of the run file cannot be read."""


class BudgetRefused(SeedbedError):
    """The plan costs more than the run file allows."""

    exit_code = 3
    failure = "budget"


class BudgetPassed(SeedbedError):
    """The training has spent more than the run file allows, and has stopped at a checkpoint."""

    exit_code = 3
    failure = "budget"


class StoreError(SeedbedError):
    """The store or the state directory did not take or give what was asked."""

    failure = "user_error"  # a full disk, a missing right; one that is out of reach is `transient`


class ConservationError(SeedbedError):
    """A step lost or made up records or bytes: rows in do not equal rows out and rows dropped."""

    failure = "data"


class QuarantineError(SeedbedError):
    """More records failed than the run file allows."""

    failure = "data"


class InfrastructureError(SeedbedError):
    """A worker or node was lost more often than the run file allows. No data is lost: run it again."""

    failure = "node_lost"


class HangError(InfrastructureError):
    """A group of ranks made no progress."""

    failure = "hang"


class MemoryShortage(SeedbedError):
    """A process needed more memory than there was: the machine's, or a device's."""

    failure = "out_of_memory"


class CheckpointError(SeedbedError):
    """No checkpoint can be taken up, or one could not be written."""

    failure = "data"


class RegistryError(SeedbedError):
    """The registry cannot be used as it is."""


class RegistryUnreachable(RegistryError):
    """The registry's database does not answer, or is busy for too long."""

    transient = True


class StaleState(RegistryError):
    """Somebody else has changed it since it was read: read it again and decide anew."""

    transient = True


class RayError(SeedbedError):
    """Ray's HTTP API did not do what it was asked. `seedbed.ray_api` raises one of the three below and nothing else."""


class RayUnreachable(RayError):
    """Nobody answered, or not in time: what was asked may have been done or not."""

    transient = True


class RayRefused(RayError):
    """Ray did not take the token, or got none."""


class RayAnswered(RayError):
    """Ray answered with something else than what was asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
