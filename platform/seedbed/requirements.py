"""What Seedbed itself requires, and whether what is installed is that."""

import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "seedbed"


@dataclass(frozen=True)
class Requirement:
    """One package: `text` is how pyproject.toml says it."""

    name: str
    text: str

    def allows(self, version: str) -> bool:
        """Whether `version` is in the range; True where nothing here can tell."""
        try:
            from packaging.requirements import InvalidRequirement
            from packaging.requirements import Requirement as Parsed
        except ModuleNotFoundError:
            return True
        try:
            return Parsed(self.text).specifier.contains(version, prereleases=True)
        except InvalidRequirement:
            return True


def declared() -> list[Requirement]:
    """The packages that the product needs, without those of the tests; from the installed package or its checkout."""
    try:
        texts = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        texts = _of_checkout()
    return [Requirement(_name(text), text) for text in sorted(texts) if "extra ==" not in text]


def _of_checkout() -> list[str]:
    path = Path(__file__).parents[2] / "pyproject.toml"
    if not path.is_file():
        return []
    dependencies: list[str] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    return dependencies


def _name(text: str) -> str:
    """The name that a requirement begins with."""
    length = next((i for i, character in enumerate(text) if not (character.isalnum() or character in "-_.")), len(text))
    return text[:length]
