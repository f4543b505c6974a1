"""Who meets whom, on what, and what of it is asked."""

from pathlib import Path

from benchmarks.contest.case import Asked, Case, megabytes_a_second, ratio, times_peers
from benchmarks.contest.growth import exponent
from benchmarks.contest.rounds import Contender, meet, python
from benchmarks.contest.setting import Setting
from benchmarks.dataprep.inputs import NUM_PARTS, cut_warcs, write_texts
from dataprep.language import model_file

MODULE = "benchmarks.dataprep"
PEERS = f"{MODULE}.peers"
MAX_TEXT_BYTES = 8 << 20  # of English text: a quarter of a minute for the slowest
PIPELINE_PARTS = 4  # of the first file, for Seedbed against bare extraction
PEER_PARTS = 1  # likewise for the slowest


def parts(setting: Setting) -> list[list[Path]]:
    """Of each file of the corpus."""
    return cut_warcs(setting.warcs(), setting.work / "parts")


def pipeline(setting: Setting) -> Case:
    """WARC to selected text with bands in Parquet, against the extraction that is in it."""
    files = [str(part) for part in parts(setting)[0][:PIPELINE_PARTS]]
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.seedbed_pipeline", *files)),
            Contender("fastwarc + resiliparse alone", python("-m", f"{MODULE}.bare_extraction", *files)),
        ],
        setting.rounds,
    )
    return Case(
        "WARC to selected text with MinHash bands in Parquet, one core",
        results,
        [Asked("share of bare extraction's pages/s", ratio(results, 0, 1, "pages"), at_least=0.60)],
    )


def pipeline_of_peers(setting: Setting) -> Case:
    """The same on fewer pages, against a chain that takes a minute for them; bare extraction shows how much of the
    ratio is the extractor's."""
    files = parts(setting)[0][:PEER_PARTS]
    folder = setting.work / "peer_parts"
    folder.mkdir(exist_ok=True)
    for file in files:
        link = folder / file.name
        if not link.exists():
            link.symlink_to(file.resolve())
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.seedbed_pipeline", *map(str, files))),
            Contender("fastwarc + resiliparse alone", python("-m", f"{MODULE}.bare_extraction", *map(str, files))),
            *setting.peer("datatrove", "datatrove", f"{PEERS}.datatrove_pipeline", str(model_file()), str(folder)),
        ],
        setting.rounds,
    )
    asked = [
        Asked("times datatrove's pages/s", ratio(results, 0, 2, "pages"), at_least=35.0),
        Asked("bare extraction, times datatrove's pages/s", ratio(results, 1, 2, "pages")),
    ]
    asked = asked if len(results) > 2 else []
    return Case("the same, on few pages, against datatrove with trafilatura", results, asked)


def families(setting: Setting) -> Case:
    """Gopher quality and repetition, C4 and FineWeb on extracted English text."""
    texts = setting.work / "english.parquet"
    write_texts([part for file in parts(setting) for part in file], texts, MAX_TEXT_BYTES)
    results = meet(
        [
            Contender("seedbed, every rule for every page", python("-m", f"{MODULE}.seedbed_filters", str(texts))),
            *setting.peer("datatrove, chained", "datatrove", f"{PEERS}.datatrove_filters", str(texts)),
            *setting.peer("dolma, taggers", "dolma", f"{PEERS}.dolma_taggers", str(texts)),
            *setting.peer("data-juicer, fused", "datajuicer", f"{PEERS}.datajuicer_filters", str(texts)),
        ],
        setting.rounds,
    )
    wanted = {"datatrove, chained": 100.0, "dolma, taggers": 30.0, "data-juicer, fused": 30.0}
    asked = [Asked("MB/s", megabytes_a_second(results[0]), at_least=60.0), *times_peers(results, "bytes", wanted)]
    return Case("the four families on extracted English text, one core", results, asked)


def reading(setting: Setting) -> Case:
    """The pages of WARC files, with their bodies decoded, against the reader that extraction alone is measured with."""
    files = [str(part) for file in parts(setting) for part in file]
    results = meet(
        [
            Contender("seedbed", python("-m", f"{MODULE}.reading", "seedbed", *files)),
            Contender("fastwarc", python("-m", f"{MODULE}.reading", "fastwarc", *files)),
        ],
        setting.rounds,
    )
    return Case(
        "reading WARC, one core",
        results,
        [Asked("share of fastwarc's pages/s", ratio(results, 0, 1, "pages"))],
    )


def clean(setting: Setting) -> Case:
    """`clean` by itself on extracted English text, as it is by default and with the rules that judge every line."""
    texts = setting.work / "english.parquet"
    write_texts([part for file in parts(setting) for part in file], texts, MAX_TEXT_BYTES)
    names = {"default": "by default", "line_rules": "with the line rules of C4 and RefinedWeb"}
    results = meet(
        [Contender(name, python("-m", f"{MODULE}.seedbed_clean", rules, str(texts))) for rules, name in names.items()],
        setting.rounds,
    )
    rate = megabytes_a_second(results[0])
    return Case("clean, one core", results, [Asked("MB/s by default", rate, at_least=400.0)])


def two_workers(setting: Setting) -> Case:
    """Two Ray workers over twelve shards, against two bare processes of the same code over six each."""
    files = [str(part) for file in parts(setting) for part in file[:2]]
    bare = Contender("two bare processes", python("-m", f"{MODULE}.two_workers", "--bare", *files))
    ray = Contender("two workers", python("-m", f"{MODULE}.two_workers", *files))
    results = meet([ray, bare], setting.rounds, cores=(0, 1))
    return Case(
        "two workers",
        results,
        [Asked("share of what two bare processes reach", ratio(results, 0, 1, "pages"), at_least=0.95)],
    )


def growth(setting: Setting) -> Case:
    """One part of eight of each file, two, four, all."""
    files = parts(setting)
    sizes = [n for n in (1, 2, 4, 8) if n <= NUM_PARTS]
    contenders = [
        Contender(
            f"{n}/{NUM_PARTS} of the corpus",
            python("-m", f"{MODULE}.seedbed_pipeline", *[str(part) for file in files for part in file[:n]]),
        )
        for n in sizes
    ]
    results = meet(contenders, setting.rounds)
    pages = [result.median("pages") for result in results]
    slope = exponent(pages, [result.median("seconds") for result in results])
    memory = results[-1].median("peak_mib") / results[0].median("peak_mib")
    asked = [Asked("exponent of time over pages", slope, at_most=1.05), Asked("growth of memory", memory, at_most=1.1)]
    return Case("growth", results, asked)


CASES = {
    "pipeline": pipeline,
    "peers": pipeline_of_peers,
    "families": families,
    "reading": reading,
    "clean": clean,
    "two_workers": two_workers,
    "growth": growth,
}
