"""What an engine is."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blake3 import blake3

from dataprep.errors import SeedbedError

TextOf = Callable[[str, bool], str]
"""(markup of a page, decoded; whether to leave out what is not its main content) -> its text, "" for none.

The same markup gives the same text, whatever was extracted before it. Any text is markup: nothing is raised for
broken pages. How deep, large and slow a page may be is the caller's matter.
"""


class EngineMissingError(SeedbedError):
    """The engine that was chosen needs a package that is not installed."""

    exit_code = 2
    failure = "user_error"


@dataclass(frozen=True)
class Engine:
    """One way from markup to text. Nothing of it is imported before `load`."""

    name: str
    module: str  # holds the function `text_of`, a TextOf
    packages: tuple[str, ...]  # distributions whose versions decide the text
    weights: Path | None = None  # what it has learnt, a file beside it, that decides the text as well
    extra: str | None = None  # of Seedbed's own distribution, that brings the packages

    def software(self) -> dict[str, str]:
        """What decides the text, by name: version of a package, digest of weights. Raises EngineMissingError."""
        digests = {self.weights.name: blake3(self.weights.read_bytes()).hexdigest()} if self.weights else {}
        try:
            return {package: version(package) for package in self.packages} | digests
        except PackageNotFoundError as error:
            raise self._missing(str(error.name)) from error

    def load(self) -> TextOf:
        """Imports the engine. Raises EngineMissingError."""
        try:
            return import_module(self.module).text_of
        except ModuleNotFoundError as error:
            raise self._missing(str(error.name)) from error

    def _missing(self, what: str) -> EngineMissingError:
        mend = f"install seedbed[{self.extra}]" if self.extra else "see `seedbed doctor`"
        return EngineMissingError(
            f"data.extract.engine is {self.name}, which needs {what}, and that is not installed here: "
            f"{mend}, or take another engine"
        )
