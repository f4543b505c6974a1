"""From the files that a person writes to one checked run, and back to one file that says everything.

run file + the pieces it names --read--> tree --overrides--> tree --validate--> RunConfig
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from seedbed.errors import RunFileError
from seedbed.runfile.list_keys import replaced
from seedbed.runfile.problems import describe
from seedbed.runfile.run import RunConfig
from seedbed.runfile.yaml_tree import Key, Place, Tree, dotted, parse_tree, read_tree, write_yaml

PIECES = ("data", "model", "training", "cluster")
"""The keys of a run file that may name a file of their own. The pieces name no further files."""


def load_run(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """The run that the file at `path` describes, with `overrides` (`training.num_steps=100`) in place of what it says.

    Paths start at the folder of the file that says them, those of overrides at the working directory; source paths come
    back absolute. Raises RunFileError with every problem, each with file, line and dotted key.
    """
    return _load(read_tree(Path(path), str(path)), overrides)


def load_run_text(text: str, origin: str, folder: Path, overrides: Iterable[str] = ()) -> RunConfig:
    """The same from the text of a run file that messages call `origin`, whose paths start at `folder`."""
    return _load(parse_tree(text, Place(origin, 1, folder)), overrides)


def _load(tree: Tree, overrides: Iterable[str]) -> RunConfig:
    if not isinstance(tree.value, dict):
        raise RunFileError(f"{tree.place(())}: expected keys and values: name, {', '.join(PIECES)}")
    parsed = [_parse_override(text) for text in overrides]
    for key, override in parsed:
        if len(key) == 1:  # a whole piece first, so that deeper keys change the piece that is used
            tree.put(key, override)
    for piece in PIECES:
        _fetch_piece(tree, piece)
    for key, override in parsed:
        if len(key) > 1:
            _override(tree, key, override)
    _make_paths_absolute(tree)
    return _validate(tree)


def resolved(run: RunConfig) -> dict[str, Any]:
    """The run as plain JSON values, every default said."""
    return run.model_dump(mode="json")


def write_resolved(run: RunConfig) -> str:
    """One YAML file that says the whole run and loads back to an equal one, from any folder."""
    return write_yaml(resolved(run))


def from_resolved(value: dict[str, Any]) -> RunConfig:
    """The run that `resolved` came from."""
    return RunConfig.model_validate_json(json.dumps(value))


def _validate(tree: Tree) -> RunConfig:
    problems = tree.problems
    try:
        # JSON's strictness: a list may be a tuple there, and "8" is still no number.
        run = RunConfig.model_validate_json(json.dumps(tree.value))
    except ValidationError as error:
        problems = problems + describe(error, tree)
    if problems:
        raise RunFileError("\n".join(problems))
    return run


def _parse_override(text: str) -> tuple[Key, Tree]:
    name, equals, value = text.partition("=")
    key = tuple(name.strip().split("."))
    if not equals or not all(key):
        raise RunFileError(f"--set {text}: expected a dotted key, = and a value: --set training.num_steps=100")
    return key, parse_tree(value, Place(f"--set {_without_password(text)}", 0, Path.cwd()))


def _without_password(text: str) -> str:
    return re.sub(r"//[^/\s]*@", "//...@", text)


def _fetch_piece(tree: Tree, piece: str) -> None:
    """Put the content of the file that `piece` names into its place."""
    named = tree.value.get(piece)
    if not isinstance(named, str):
        return
    place = tree.place((piece,))
    path = place.folder / _expanded(named, place, (piece,))
    try:
        tree.put((piece,), read_tree(path, os.path.relpath(path)))
    except RunFileError as error:
        raise RunFileError(f"{place}: {piece}: {error}") from error


def _expanded(path: str, place: Place, key: Key) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise RunFileError(f"{place}: {dotted(key)}: {path}: there is no such user's home folder") from error


def _override(tree: Tree, key: Key, override: Tree) -> None:
    """Put `override` at `key`. What is not there yet on the way is made; raises RunFileError where a value stands."""
    container = tree.value
    way: list[str | int] = []
    for part in key:
        step = int(part) if isinstance(container, list) and str(part).isdigit() else part
        fits = isinstance(container, dict) or (isinstance(container, list) and step in range(len(container)))
        if not fits:
            where = f"{override.place(())}: {dotted(key)}: {dotted(tuple(way))}"
            found = f"a list of {len(container)}" if isinstance(container, list) else json.dumps(container)
            raise RunFileError(f"{where} is {found} and has no {part!r}")
        way.append(step)
        if len(way) < len(key):
            if isinstance(container, dict) and container.get(step) is None:
                container[step] = {}
                tree.places.setdefault(tuple(way), override.place(()))
            container = container[step]
    tree.put(tuple(way), override)


def _make_paths_absolute(tree: Tree) -> None:
    data = tree.value.get("data")
    sources = data.get("sources") if isinstance(data, dict) else None
    for name, source in sources.items() if isinstance(sources, dict) else ():
        for part in ("path", "paths_below"):
            path = source.get(part) if isinstance(source, dict) else None
            if isinstance(path, str) and path:
                source[part] = _absolute(tree, path, ("data", "sources", name, part))
    if isinstance(data, dict):
        tree.value["data"] = replaced(data, lambda path, key: _absolute(tree, path, ("data", *key)))


def _absolute(tree: Tree, path: str, key: Key) -> str:
    if "://" in path or "::" in path:
        return path
    place = tree.place(key)
    return os.path.abspath(place.folder / _expanded(path, place, key))  # noqa: PTH100 - a link stays
