"""YAML that remembers where each value stands, read by YAML 1.2's rules about what is a number and what is text.

PyYAML follows YAML 1.1, where `1e-3` is text, `no` (Norwegian) is false, `010` is eight and `12:30` is 750. A run file
means what it shows: see https://yaml.org/spec/1.2.2/#103-core-schema. Digits may be grouped: `1_000_000`.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from seedbed.errors import RunFileError

Key = tuple[str | int, ...]
"""The way to a value from the top: names of mappings, numbers in lists."""

_NULL, _BOOL, _INT, _FLOAT, _TEXT, _MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "merge")
)
_SCALARS = (  # tag, what is read so, the characters that it may begin with
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_INT, r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        _FLOAT,
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    (_MERGE, r"<<", ["<"]),
)

MAX_VALUES = 100_000  # a run file has some hundred; a few lines of aliases can make billions
MAX_NESTING = 30
MAX_DIGITS = 100
_TOO_DEEP = "too many lists and mappings stand within each other"

_CURES: dict[type[OSError], str] = {
    FileNotFoundError: "name a YAML file that is there",
    NotADirectoryError: "name a YAML file that is there",
    IsADirectoryError: "name a YAML file in this folder",
}

_HALF = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")


def _speak_yaml_1_2(resolver: Any) -> Any:
    resolver.yaml_implicit_resolvers = {}
    for tag, pattern, first in _SCALARS:
        resolver.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z"), first)
    return resolver


@_speak_yaml_1_2
class _Loader(yaml.SafeLoader):
    pass


@_speak_yaml_1_2
class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML writes these bare, and reads them as the end of a line.
        style = '"' if _BREAKS.search(data) else None
        return self.represent_scalar(_TEXT, data, style)


_Dumper.add_representer(str, _Dumper.represent_str)


@dataclass(frozen=True)
class Place:
    """Where a value stands. `line` counts from 1; 0 for what stands on the command line."""

    origin: str
    line: int
    folder: Path  # relative paths that stand here start here

    def __str__(self) -> str:
        return f"{self.origin}:{self.line}" if self.line else self.origin


@dataclass
class Tree:
    """A value, and the place of everything in it. `problems` are what the YAML itself has wrong."""

    value: Any
    places: dict[Key, Place] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def place(self, key: Key) -> Place:
        """Where `key` stands, or else the nearest thing around it."""
        while key not in self.places:
            key = key[:-1]
        return self.places[key]

    def put(self, key: Key, other: "Tree") -> None:
        """Hang `other` at `key`, whose surroundings must be there."""
        container = self.value
        for part in key[:-1]:
            container = container[part]
        container[key[-1]] = other.value
        self.places = {k: p for k, p in self.places.items() if k[: len(key)] != key}
        self.places.update({key + k: p for k, p in other.places.items()})
        self.problems += other.problems


def read_tree(path: Path, origin: str) -> Tree:
    """The YAML file at `path`; messages call it `origin`. Raises RunFileError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        cure = _CURES.get(type(error), "name a YAML file that this user may read")
        raise RunFileError(f"{origin}: cannot read it: {error.strerror}; {cure}") from error
    except UnicodeDecodeError as error:
        raise RunFileError(f"{origin}: it is not UTF-8 text (byte {error.start}): is this a YAML file?") from error
    return parse_tree(text, Place(origin, 1, path.absolute().parent))


def parse_tree(text: str, start: Place) -> Tree:
    """The value of YAML `text` that begins at `start`. Raises RunFileError when it is not YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise RunFileError(f"{_shifted(start, line)}: this is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise RunFileError(f"{start}: this is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise RunFileError(f"{start}: {_TOO_DEEP}") from error
    tree = Tree(None, {(): start})
    if node is not None:
        tree.value = _Reader(tree, start).read(node, (), ())
    return tree


def write_yaml(value: Any) -> str:
    """YAML text that `parse_tree` reads back to an equal value; keys keep their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def dotted(key: Key) -> str:
    """`data.sources.docs`, as people write a key."""
    return ".".join(str(part) for part in key)


def _shifted(start: Place, line: int) -> Place:
    return Place(start.origin, start.line + line if start.line else 0, start.folder)


@dataclass
class _Reader:
    """Turns nodes into values, noting places and problems in `tree`."""

    tree: Tree
    start: Place
    num_values: int = 0

    def read(self, node: yaml.Node, key: Key, around: tuple[yaml.Node, ...]) -> Any:
        self.num_values += 1
        if self.num_values > MAX_VALUES:
            raise RunFileError(f"{self.start}: more than {MAX_VALUES:,} values: are there aliases of aliases?")
        if len(around) > MAX_NESTING:
            raise RunFileError(f"{self.start}: {_TOO_DEEP}")
        self.tree.places.setdefault(key, _shifted(self.start, node.start_mark.line))
        if any(node is outer for outer in around):
            return self._problem(node, key, "found an alias of what it stands in")
        inside = (*around, node)
        if isinstance(node, yaml.MappingNode):
            return {name: self.read(value, (*key, name), inside) for name, value in self._items(node, key)}
        if isinstance(node, yaml.SequenceNode):
            return [self.read(value, (*key, number), inside) for number, value in enumerate(node.value)]
        return self._scalar(node, key)

    def _items(self, node: yaml.MappingNode, key: Key) -> Iterator[tuple[str, yaml.Node]]:
        first_lines: dict[str, int] = {}
        for name_node, value in node.value:
            name = str(name_node.value)
            place = _shifted(self.start, name_node.start_mark.line)
            if name_node.tag != _TEXT:
                self._problem(name_node, key, f"found the key {name_node.value!r}, expected text: put quotes around it")
            elif name in first_lines:
                self._problem(name_node, (*key, name), f"the key stands twice, first in line {first_lines[name]}")
            else:
                first_lines[name] = place.line
                self.tree.places[(*key, name)] = place
                yield name, value

    def _scalar(self, node: yaml.Node, key: Key) -> Any:
        text = str(node.value)
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text.lower() == "true"
        if node.tag == _INT:
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            if len(text) > MAX_DIGITS:
                return self._problem(node, key, f"found a number of {len(text)} digits, expected {MAX_DIGITS} at most")
            return int(text[2:] if base != 10 else text.replace("_", ""), base)
        if node.tag == _FLOAT:
            number = float(re.sub(r"\.(inf|nan)", r"\1", text.replace("_", "").lower()))
            if not math.isfinite(number):
                return self._problem(node, key, f"found {text}, expected a finite number")
            return number
        if node.tag == _TEXT:
            if _HALF.search(text):
                return self._problem(node, key, "found half a surrogate pair, expected whole characters")
            return text
        return self._problem(node, key, f"found the YAML tag {node.tag}, expected none")

    def _problem(self, node: yaml.Node, key: Key, message: str) -> None:
        place = _shifted(self.start, node.start_mark.line)
        self.tree.problems.append(f"{place}: {dotted(key) + ': ' if key else ''}{message}")
