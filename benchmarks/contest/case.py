"""One table of a benchmark, and the figures that are held against what is asked of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.contest.rounds import Result

MEGA = 1e6


@dataclass(frozen=True)
class Asked:
    """A figure, and the limit that it is held against, where there is one."""

    what: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        figure = f"{self.what}: {self.measured:.3g}"
        if self.at_least is not None:
            return f"{figure} (asked: at least {self.at_least:.3g})"
        return figure if self.at_most is None else f"{figure} (asked: at most {self.at_most:.3g})"


@dataclass(frozen=True)
class Case:
    """One table: results, and the figures held against what is asked of them."""

    title: str
    results: list[Result]
    asked: list[Asked]

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "results": [result.to_json() for result in self.results],
            "asked": [asdict(figure) for figure in self.asked],
        }

    def to_markdown(self) -> str:
        """Medians, with the least and the greatest of the rates."""
        lines = [f"\n**{self.title}**\n", "| | pages/s | MB/s | seconds | peak MiB |", "|---|---|---|---|---|"]
        for result in self.results:
            pages, size = result.rates("pages"), result.rates("bytes")
            middle = len(pages) // 2
            lines.append(
                f"| {result.name} | {pages[middle]:,.0f} [{pages[0]:,.0f}-{pages[-1]:,.0f}] "
                f"| {size[middle] / MEGA:.3g} | {result.median('seconds'):.3g} | {result.median('peak_mib'):,.0f} |"
            )
        lines += [f"\n{figure}" for figure in self.asked]
        return "\n".join(lines)


def ratio(results: list[Result], ours: int, theirs: int, quantity: str) -> float:
    """The median of the ratios round by round: both had the same weather."""
    if len(results) <= max(ours, theirs):
        return float("nan")
    pairs = zip(results[ours].rounds, results[theirs].rounds, strict=False)
    ratios = sorted((a[quantity] / a["seconds"]) / (b[quantity] / b["seconds"]) for a, b in pairs)
    return ratios[len(ratios) // 2]


def megabytes_a_second(result: Result) -> float:
    """The median."""
    return result.rates("bytes")[len(result.rounds) // 2] / MEGA


def times_peers(results: list[Result], quantity: str, wanted: Mapping[str, float]) -> list[Asked]:
    """How many times the rate of each peer that was there the first of `results` has."""
    return [
        Asked(f"times {result.name}", ratio(results, 0, number, quantity), at_least=wanted[result.name])
        for number, result in enumerate(results)
        if result.name in wanted
    ]
