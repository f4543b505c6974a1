"""`python -m benchmarks.filters`: see README.md beside this."""

import argparse
import json
import statistics
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa

from benchmarks.filters.check import differences
from benchmarks.filters.corpus import texts
from benchmarks.filters.families import FAMILIES, seconds
from dataprep.kernels.text_buffers import text_buffers

ROOT = Path(__file__).parents[2]
CHECKED_AT_A_TIME = 250  # documents


def main(argv: list[str] | None = None) -> int:
    options = _parse(argv)
    if options.check:
        return _check(options)
    text, _ = texts(options.crawl, options.cache, options.language)
    result = measure(text, options.rounds)
    print(f"{result['documents']:,} documents, {result['megabytes']:.1f} MB of text, median of {options.rounds} rounds")
    for name, rate in result["megabytes_per_cpu_second"].items():
        print(f"{name:20} {rate:8.1f} MB/s")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def measure(text: pa.LargeStringArray, rounds: int) -> dict:
    """MB (10^6 bytes of UTF-8) that each family decides in a second of CPU time, and all in one go; medians."""
    _, offsets = text_buffers(text)
    megabytes = int(offsets[-1] - offsets[0]) / 1e6
    works = {name: (name,) for name in FAMILIES} | {"all": ()}
    seconds(text.slice(0, 100))  # loads the kernels
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, families in works.items():
            taken[name].append(seconds(text, *families))
    rates = {name: megabytes / statistics.median(values) for name, values in taken.items()}
    return {"documents": len(text), "megabytes": megabytes, "megabytes_per_cpu_second": rates, "cpu_seconds": taken}


def _check(options: argparse.Namespace) -> int:
    text, languages = texts(options.crawl, options.cache)
    found: Counter[str] = Counter()
    for start in range(0, len(text), CHECKED_AT_A_TIME):
        found += differences(text.slice(start, CHECKED_AT_A_TIME), languages.slice(start, CHECKED_AT_A_TIME))
        done = min(start + CHECKED_AT_A_TIME, len(text))
        print(f"\r{done:,} of {len(text):,} documents, {found.total()} differences", end="", file=sys.stderr)
    print(f"\n{len(text):,} documents: {dict(found) or 'every statistic and every decision is equal'}")
    return int(bool(found))


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__)
    parser.add_argument("crawl", type=Path, help="a folder with WARC files (*.warc.gz)")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "filters", help="where their text is kept")
    parser.add_argument("--language", default="en", help="ISO 639 code of the documents measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--check", action="store_true", help="compare with the plain reading of the papers instead")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
