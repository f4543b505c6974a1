"""Prints what pyproject.toml asks for, a requirement a line, for a layer of an image that the code does not change."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
print("\n".join([*project["project"]["dependencies"], *project["build-system"]["requires"]]))
