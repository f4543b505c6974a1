"""Rounds of contenders in turn, so that a machine that slows down slows all of them down; medians and ratios."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Contender:
    """A command that prints one line of figures (`meter.report`) as its last."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Result:
    """The figures of each round."""

    name: str
    rounds: tuple[dict[str, Any], ...]

    def rates(self, quantity: str) -> list[float]:
        """`quantity` a second of each round, ascending."""
        return sorted(figures[quantity] / figures["seconds"] for figures in self.rounds)

    def median(self, key: str) -> float:
        return statistics.median(figures[key] for figures in self.rounds)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "rounds": list(self.rounds)}


def meet(contenders: Sequence[Contender], rounds: int, cores: Sequence[int] = (0,)) -> list[Result]:
    """Each contender `rounds` times, A B C A B C, on the given cores and no others."""
    found: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            found[contender.name].append(_figures(contender, cores))
    return [Result(name, tuple(figures)) for name, figures in found.items()]


def python(*arguments: str) -> list[str]:
    """A command of this environment."""
    return [sys.executable, *arguments]


def _figures(contender: Contender, cores: Sequence[int]) -> dict[str, Any]:
    # Peers find `benchmarks` in this checkout; where Seedbed is installed, it finds itself.
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"}
    print(f"  {contender.name} ...", end="", file=sys.stderr, flush=True)
    ended = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores)), *contender.command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise SystemExit(f"{contender.name} failed ({ended.returncode}):\n{ended.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    print(f" {figures['seconds']:.1f} s", file=sys.stderr, flush=True)
    return figures
