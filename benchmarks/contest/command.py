"""The command line that benchmarks with peers share."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.contest.case import Case
from benchmarks.contest.setting import Setting

Found = dict[str, Any] | Case
"""What a case comes to: figures that it has printed itself, or a table of contenders."""


def parser(program: str, description: str, cases: Mapping[str, object], results: Path) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog=program, description=description)
    found.add_argument("corpus", type=Path, help="a folder with WARC files (*.warc.gz) of some thousand pages")
    found.add_argument("--work", type=Path, default=Path(".bench/work"), help="for what is made of them")
    found.add_argument("--peers", type=Path, default=Path(".bench/peers"), help="environments: make bench-peers")
    found.add_argument("--rounds", type=int, default=5)
    found.add_argument("--cases", nargs="+", choices=list(cases), default=list(cases))
    found.add_argument("--out", type=Path, default=results)
    return found


def carry_out(options: argparse.Namespace, cases: Mapping[str, Callable[[Setting], Found]]) -> None:
    """Print each of the chosen cases when it is done, and keep it in `options.out`, beside the others that are there:
    each has the rounds and the machine that it was measured with."""
    peers = options.peers.resolve() if options.peers.is_dir() else None
    if peers is None:
        print(f"no peers: {options.peers} is not there (`make bench-peers` makes it)", file=sys.stderr)
    setting = Setting(options.corpus.resolve(), options.work.resolve(), peers, options.rounds)
    for name in options.cases:
        found = cases[name](setting)
        if isinstance(found, Case):
            print(found.to_markdown(), flush=True)
            found = found.to_json()
        kept = json.loads(options.out.read_text()) if options.out.exists() else {}
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(kept | {name: facts(options.rounds) | found}, indent=1) + "\n")


def facts(rounds: int) -> dict[str, Any]:
    """What the figures were measured on."""
    packages = ("seedbed", "fastwarc", "resiliparse", "numba", "pyarrow")
    return {
        "rounds": rounds,
        "machine": platform.machine(),
        "processor": _processor(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
