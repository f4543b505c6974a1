"""Who meets whom, on what, and what of it is asked."""

import subprocess
from pathlib import Path

from benchmarks.contest.case import Asked, Case, megabytes_a_second, times_peers
from benchmarks.contest.growth import exponent
from benchmarks.contest.rounds import ROOT, Contender, Result, meet, python
from benchmarks.contest.setting import Setting
from benchmarks.deduplication.texts import write_texts

MODULE = "benchmarks.deduplication"
PEERS = f"{MODULE}.peers"
EIGHTHS = (1, 2, 4, 8)
COPIES = 10


def texts(setting: Setting) -> Path:
    """Of every page of the corpus."""
    path = setting.work / f"texts-{setting.corpus.name}.parquet"
    write_texts(setting.warcs(), path)
    return path


def bands(setting: Setting) -> Case:
    """From text to bands, nothing written."""
    results = _meet(setting, "bands")
    asked = [
        Asked("MB/s", megabytes_a_second(results[0]), at_least=200.0),
        *times_peers(results, "bytes", {"rensa": 1.0, "datasketch": 15.0}),
    ]
    return Case("text to bands: word 5-grams, 112 permutations, one core", results, asked)


def kept(setting: Setting) -> Case:
    """From a file of texts to the ids that are kept. Seedbed compares every candidate's text; the others do not."""
    results = _meet(setting, "kept")
    return Case("texts to kept ids, one core", results, times_peers(results, "bytes", {"rensa": 2.0}))


def kept_by_pipelines(setting: Setting) -> Case:
    """The same against tools that a run's files go through. They take minutes: one round tells enough."""
    file = str(texts(setting))
    names = {"datatrove": "datatrove, four stages", "datajuicer": "data-juicer", "textdedup": "text-dedup"}
    peers = [setting.peer(name, key, f"{PEERS}.{key}_minhash", "kept", file) for key, name in names.items()]
    ours = Contender("seedbed", python("-m", f"{MODULE}.seedbed_kept", file))
    results = meet([ours, *(one for found in peers for one in found)], setting.rounds)
    wanted = {"datatrove, four stages": 50.0, "data-juicer": 15.0, "text-dedup": 15.0}
    return Case("texts to kept ids, against pipelines, one core", results, times_peers(results, "bytes", wanted))


def growth(setting: Setting) -> Case:
    """The step as a run does it, over an eighth of the texts, two, four, all, and ten copies of all, nine of them
    edited."""
    sizes = [(f"{n}/8 of the texts", n / 8, 1) for n in EIGHTHS] + [(f"{COPIES} copies, edited", 1.0, COPIES)]
    contenders = []
    for name, first, copies in sizes:
        folder = setting.work / f"step-{setting.corpus.name}-{first:g}-{copies}"
        prepare = ["--prepare", str(texts(setting)), str(folder), str(first), str(copies)]
        subprocess.run(python("-m", f"{MODULE}.seedbed_step", *prepare), cwd=ROOT, check=True)
        contenders.append(Contender(name, python("-m", f"{MODULE}.seedbed_step", str(folder))))
    results = meet(contenders, setting.rounds)
    pages, seconds = ([result.median(key) for result in results] for key in ("pages", "seconds"))
    memory = results[-1].median("peak_mib") / results[-2].median("peak_mib")
    asked = [
        Asked("exponent of time over pages, an eighth to all", exponent(pages[:-1], seconds[:-1]), at_most=1.05),
        Asked("exponent of time over pages, all to ten copies", exponent(pages[-2:], seconds[-2:]), at_most=1.05),
        Asked("memory with ten copies, times that with one", memory, at_most=1.1),
    ]
    return Case("growth of the step", results, asked)


def repeats(setting: Setting) -> Case:
    """The step `repeats` as a run does it, over what `deduplicate` keeps of the texts."""
    folder = setting.work / f"repeats-{setting.corpus.name}"
    module = f"{MODULE}.seedbed_repeats"
    subprocess.run(python("-m", module, "--prepare", str(texts(setting)), str(folder)), cwd=ROOT, check=True)
    sought = {"runs of 50 words": ["substrings"], "lines": ["lines"], "all": ["lines", "paragraphs", "substrings"]}
    contenders = [Contender(name, python("-m", module, str(folder), *kinds)) for name, kinds in sought.items()]
    return Case("passages that documents have in common, cut", meet(contenders, setting.rounds), [])


def _meet(setting: Setting, what: str) -> list[Result]:
    file = str(texts(setting))
    ours = Contender("seedbed", python("-m", f"{MODULE}.seedbed_{what}", file))
    peers = [setting.peer(name, "minhash", f"{PEERS}.{name}_minhash", what, file) for name in ("rensa", "datasketch")]
    return meet([ours, *(one for found in peers for one in found)], setting.rounds)
