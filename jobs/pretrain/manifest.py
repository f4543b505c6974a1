"""A checkpoint's manifest: which file holds which elements, sealed with a digest of its own.

A flipped bit in the number of samples would be taken up as readily as the right one: no file's digest covers it.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from blake3 import blake3

from seedbed.store import Store

FORMAT = 3
MANIFEST = "manifest.json"
PREFIX = "step-"
"""Of a checkpoint's folder; the step's number follows."""

_SEAL = "blake3"


def seal(content: Mapping[str, Any]) -> bytes:
    """The manifest's bytes."""
    return json.dumps({**content, _SEAL: _digest(content)}).encode()


def unseal(data: bytes) -> dict[str, Any] | str:
    """The manifest's content, of whatever format, or why it is not what was written."""
    try:
        content: dict[str, Any] = json.loads(data)
        written = content.pop(_SEAL, None)
    except (ValueError, AttributeError, TypeError):
        return "its manifest cannot be read"
    found = _digest(content)
    return content if found == written else f"its manifest was changed: blake3 {found}, expected {written}"


def newest_step(store: Store, root: str) -> int:
    """The step of the newest checkpoint below `root` that is complete, 0 without one: where a training goes on, as far
    as can be told before its ranks have held the digests against the files. Raises StoreError."""
    steps = {int(name.removeprefix(PREFIX)): name for name in store.names(root) if _is_checkpoint(name)}
    complete = (step for step in sorted(steps, reverse=True) if store.exists(f"{root}/{steps[step]}/{MANIFEST}"))
    return next(complete, 0)


def _is_checkpoint(name: str) -> bool:
    return name.startswith(PREFIX) and name.removeprefix(PREFIX).isdecimal()


def _digest(content: Mapping[str, Any]) -> str:
    return blake3(json.dumps(content).encode()).hexdigest()


class Places:
    """Where each element is: a checkpoint of N ranks has up to N pieces a parameter, a million with thousands of ranks.

    `pieces` is the manifest's: file -> [parameter, start, numel] of each run of elements in it; none overlap.
    """

    def __init__(self, pieces: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        held: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for file, parts in pieces.items():
            for name, start, numel in parts:
                held[name].append((start, start + numel, file))
        self._held = {name: sorted(parts) for name, parts in held.items()}

    def sources(self, name: str, start: int, numel: int) -> list[tuple[str, int, int]]:
        """(file, start, numel) of the pieces that overlap with a run of a parameter's elements, by their start."""
        parts = self._held.get(name, [])
        found = []
        for first, end, file in parts[bisect_right(parts, start, key=lambda part: part[1]) :]:
            if first >= start + numel:
                break
            found.append((file, first, end - first))
        return found

    def gap(self, name: str, start: int, numel: int) -> str | None:
        """What no file holds of a run of a parameter's elements, in words."""
        at, end = start, start + numel
        for _, first, length in self.sources(name, start, numel):
            if first > at:
                break
            at = first + length
        return f"it lacks elements {at} to {end - 1} of {name}" if at < end else None
