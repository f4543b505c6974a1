"""Who meets whom, on what, and what of it is asked."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.dataprep.contest import Contender, Result, meet, python
from benchmarks.dataprep.growth import exponent
from benchmarks.dataprep.inputs import NUM_PARTS, cut_warcs, write_texts
from dataprep.language import model_file

MODULE = "benchmarks.dataprep"
MAX_TEXT_BYTES = 8 << 20  # of English text: a quarter of a minute for the slowest
PIPELINE_PARTS = 4  # of the first file, for Seedbed against bare extraction
PEER_PARTS = 1  # likewise for the slowest


@dataclass(frozen=True)
class Setting:
    """Where everything is: WARC files, a folder for what is made of them, the peers' environments (None: no peers)."""

    corpus: Path
    work: Path
    peers: Path | None
    rounds: int

    def parts(self) -> list[list[Path]]:
        return cut_warcs(self.corpus, self.work / "parts")

    def peer(self, name: str, environment: str, script: str, *arguments: str) -> list[Contender]:
        """The contender, or nobody where its environment is not there."""
        interpreter = None if self.peers is None else self.peers / environment / "bin" / "python"
        if interpreter is None or not interpreter.exists():
            return []
        command = [str(interpreter), "-m", f"{MODULE}.peers.{script}", *arguments]
        return [Contender(name, command)]


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
    quantity: str  # pages or bytes
    results: list[Result]
    asked: list[Asked]

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "results": [result.to_json() for result in self.results],
            "asked": [asdict(figure) for figure in self.asked],
        }


def pipeline(setting: Setting) -> Case:
    """WARC to selected text with bands in Parquet, against the extraction that is in it."""
    files = [str(part) for part in setting.parts()[0][:PIPELINE_PARTS]]
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.seedbed_pipeline", *files)),
            Contender("fastwarc + resiliparse alone", python("-m", f"{MODULE}.bare_extraction", *files)),
        ],
        setting.rounds,
    )
    return Case(
        "WARC to selected text with MinHash bands in Parquet, one core",
        "pages",
        results,
        [Asked("share of bare extraction's pages/s", ratio(results, 0, 1, "pages"), at_least=0.60)],
    )


def pipeline_of_peers(setting: Setting) -> Case:
    """The same on fewer pages, against a chain that takes a minute for them."""
    files = setting.parts()[0][:PEER_PARTS]
    folder = setting.work / "peer_parts"
    folder.mkdir(exist_ok=True)
    for file in files:
        link = folder / file.name
        if not link.exists():
            link.symlink_to(file.resolve())
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.seedbed_pipeline", *map(str, files))),
            *setting.peer("datatrove", "datatrove", "datatrove_pipeline", str(model_file()), str(folder)),
        ],
        setting.rounds,
    )
    times = ratio(results, 0, 1, "pages")
    asked = [Asked("times datatrove's pages/s", times, at_least=35.0)] if len(results) > 1 else []
    return Case("the same, on few pages, against datatrove with trafilatura", "pages", results, asked)


def families(setting: Setting) -> Case:
    """Gopher quality and repetition, C4 and FineWeb on extracted English text."""
    texts = setting.work / "english.parquet"
    write_texts([part for file in setting.parts() for part in file], texts, MAX_TEXT_BYTES)
    results = meet(
        [
            Contender("seedbed, every rule for every page", python("-m", f"{MODULE}.seedbed_filters", str(texts))),
            *setting.peer("datatrove, chained", "datatrove", "datatrove_filters", str(texts)),
            *setting.peer("dolma, taggers", "dolma", "dolma_taggers", str(texts)),
            *setting.peer("data-juicer, fused", "datajuicer", "datajuicer_filters", str(texts)),
        ],
        setting.rounds,
    )
    wanted = {"datatrove, chained": 100.0, "dolma, taggers": 30.0, "data-juicer, fused": 30.0}
    asked = [Asked("MB/s", results[0].rates("bytes")[len(results[0].rounds) // 2] / 1e6, at_least=60.0)]
    for number, result in enumerate(results):
        if result.name in wanted:
            asked.append(Asked(f"times {result.name}", ratio(results, 0, number, "bytes"), wanted[result.name]))
    return Case("the four families on extracted English text, one core", "bytes", results, asked)


def reading(setting: Setting) -> Case:
    """The pages of WARC files, with their bodies decoded, against the reader that extraction alone is measured with."""
    files = [str(part) for file in setting.parts() for part in file]
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.reading", "seedbed", *files)),
            Contender("fastwarc", python("-m", f"{MODULE}.reading", "fastwarc", *files)),
        ],
        setting.rounds,
    )
    return Case(
        "reading WARC, one core",
        "pages",
        results,
        [Asked("share of fastwarc's pages/s", ratio(results, 0, 1, "pages"))],
    )


def clean(setting: Setting) -> Case:
    """`clean` by itself on extracted English text, as it is by default and with the rules that judge every line."""
    texts = setting.work / "english.parquet"
    write_texts([part for file in setting.parts() for part in file], texts, MAX_TEXT_BYTES)
    names = {"default": "by default", "line_rules": "with the line rules of C4 and RefinedWeb"}
    results = meet(
        [Contender(name, python("-m", f"{MODULE}.seedbed_clean", rules, str(texts))) for rules, name in names.items()],
        setting.rounds,
    )
    rate = results[0].rates("bytes")[len(results[0].rounds) // 2] / 1e6
    return Case("clean, one core", "bytes", results, [Asked("MB/s by default", rate, at_least=400.0)])


def two_workers(setting: Setting) -> Case:
    """Two Ray workers over twelve shards, against two bare processes of the same code over six each."""
    files = [str(part) for file in setting.parts() for part in file[:2]]
    bare = Contender("two bare processes", python("-m", f"{MODULE}.two_workers", "--bare", *files))
    ray = Contender("two workers", python("-m", f"{MODULE}.two_workers", *files))
    results = meet([ray, bare], setting.rounds, cores=(0, 1))
    return Case(
        "two workers",
        "pages",
        results,
        [Asked("share of what two bare processes reach", ratio(results, 0, 1, "pages"), at_least=0.95)],
    )


def growth(setting: Setting) -> Case:
    """One part of eight of each file, two, four, all."""
    parts = setting.parts()
    sizes = [n for n in (1, 2, 4, 8) if n <= NUM_PARTS]
    contenders = [
        Contender(
            f"{n}/{NUM_PARTS} of the corpus",
            python("-m", f"{MODULE}.seedbed_pipeline", *[str(part) for file in parts for part in file[:n]]),
        )
        for n in sizes
    ]
    results = meet(contenders, setting.rounds)
    pages = [result.median("pages") for result in results]
    slope = exponent(pages, [result.median("seconds") for result in results])
    memory = results[-1].median("peak_mib") / results[0].median("peak_mib")
    asked = [Asked("exponent of time over pages", slope, at_most=1.05), Asked("growth of memory", memory, at_most=1.1)]
    return Case("growth", "pages", results, asked)


CASES = {
    "pipeline": pipeline,
    "peers": pipeline_of_peers,
    "families": families,
    "reading": reading,
    "clean": clean,
    "two_workers": two_workers,
    "growth": growth,
}


def ratio(results: list[Result], ours: int, theirs: int, quantity: str) -> float:
    """The median of the ratios round by round: both had the same weather."""
    if len(results) <= max(ours, theirs):
        return float("nan")
    pairs = zip(results[ours].rounds, results[theirs].rounds, strict=False)
    ratios = sorted((a[quantity] / a["seconds"]) / (b[quantity] / b["seconds"]) for a, b in pairs)
    return ratios[len(ratios) // 2]


def save(cases: list[Case], path: Path, facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts | {"cases": [case.to_json() for case in cases]}, indent=1) + "\n")
