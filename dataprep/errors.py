"""The tree of errors. Every message says what was found, what was expected, where, and what mends it."""


class SeedbedError(Exception):
    """Anything that Seedbed tells a person about instead of showing a traceback."""

    exit_code = 1


class DataError(SeedbedError):
    """The data is not what it should be."""


class CorruptDataError(DataError):
    """Two tables that belong together do not fit, or bytes do not match their digest."""
