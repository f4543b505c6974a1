"""The tree of errors. Every message says what was found, what was expected, where, and what mends it."""


class SeedbedError(Exception):
    """Anything that Seedbed tells a person about instead of showing a traceback."""

    exit_code = 1

    transient = False
    """Whether the same may succeed later: a store out of reach is transient, a full disk is not."""

    failure: str | None = None
    """Its class in `seedbed.failures`; None where nobody knows. What is `transient` is of class node_lost."""


class DataError(SeedbedError):
    """The data is not what it should be."""

    failure = "data"


class MachineError(SeedbedError):
    """This machine did not do its part (a process did not start). It says nothing about the data."""

    transient = True


class CorruptDataError(DataError):
    """Two tables that belong together do not fit, or bytes do not match their digest."""
