"""`python -m benchmarks.dataprep`: see README.md beside this."""

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.dataprep.cases import CASES, Case, Setting, save

RESULTS = Path(__file__).with_name("results") / "latest.json"
MEGA = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dataprep", description=__doc__)
    parser.add_argument("corpus", type=Path, help="a folder with WARC files (*.warc.gz) of some thousand pages")
    parser.add_argument("--work", type=Path, default=Path(".bench/work"), help="for what is made of them")
    parser.add_argument("--peers", type=Path, default=Path(".bench/peers"), help="environments: make bench-peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    peers = options.peers.resolve() if options.peers.is_dir() else None
    if peers is None:
        print(f"no peers: {options.peers} is not there (`make bench-peers` makes it)", file=sys.stderr)
    setting = Setting(options.corpus.resolve(), options.work.resolve(), peers, options.rounds)
    cases = []
    for name in options.cases:
        cases.append(CASES[name](setting))
        print(table(cases[-1]), flush=True)
        save(cases, options.out, facts(options.rounds))


def facts(rounds: int) -> dict[str, object]:
    """What the figures were measured on."""
    packages = ("seedbed", "fastwarc", "resiliparse", "numba", "pyarrow")
    return {
        "rounds": rounds,
        "machine": platform.machine(),
        "processor": _processor(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def table(case: Case) -> str:
    """The case as Markdown: medians, with the least and the greatest of the rates."""
    lines = [f"\n**{case.title}**\n", "| | pages/s | MB/s | seconds | peak MiB |", "|---|---|---|---|---|"]
    for result in case.results:
        pages, size = result.rates("pages"), result.rates("bytes")
        middle = len(pages) // 2
        lines.append(
            f"| {result.name} | {pages[middle]:,.0f} [{pages[0]:,.0f}-{pages[-1]:,.0f}] | {size[middle] / MEGA:.3g} "
            f"| {result.median('seconds'):.3g} | {result.median('peak_mib'):,.0f} |"
        )
    lines += [f"\n{figure}" for figure in case.asked]
    return "\n".join(lines)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


if __name__ == "__main__":
    main()
