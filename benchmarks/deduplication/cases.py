"""Who meets whom, on what, and what of it is asked."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.dataprep.cases import Asked, Case, ratio
from benchmarks.dataprep.contest import Contender, Result, meet, python
from benchmarks.deduplication.texts import write_texts

MODULE = "benchmarks.deduplication"
PEERS = "minhash"  # the environment of both


@dataclass(frozen=True)
class Setting:
    """Where everything is: WARC files, a folder for what is made of them, the peers' environments (None: no peers)."""

    corpus: Path
    work: Path
    peers: Path | None
    rounds: int

    def texts(self) -> Path:
        path = self.work / f"texts-{self.corpus.name}.parquet"
        write_texts(self.corpus, path)
        return path

    def peer(self, name: str, what: str) -> list[Contender]:
        """The contender, or nobody where the environment is not there."""
        interpreter = None if self.peers is None else self.peers / PEERS / "bin" / "python"
        if interpreter is None or not interpreter.exists():
            return []
        command = [str(interpreter), "-m", f"{MODULE}.peers.{name}_minhash", what, str(self.texts())]
        return [Contender(name, command)]


def bands(setting: Setting) -> Case:
    """From text to bands, nothing written."""
    results = _meet(setting, "bands")
    rate = results[0].rates("bytes")[len(results[0].rounds) // 2] / 1e6
    asked = [Asked("MB/s", rate, at_least=200.0), *_against(results, {"rensa": 1.0, "datasketch": 15.0})]
    return Case("text to bands: word 5-grams, 112 permutations, one core", "bytes", results, asked)


def kept(setting: Setting) -> Case:
    """From a file of texts to the ids that are kept. Seedbed compares every candidate's text; the others do not."""
    results = _meet(setting, "kept")
    return Case("texts to kept ids, one core", "bytes", results, _against(results, {"rensa": 2.0}))


CASES = {"bands": bands, "kept": kept}


def _meet(setting: Setting, what: str) -> list[Result]:
    ours = Contender("seedbed", python("-m", f"{MODULE}.seedbed_{what}", str(setting.texts())))
    return meet([ours, *setting.peer("rensa", what), *setting.peer("datasketch", what)], setting.rounds)


def _against(results: list[Result], wanted: dict[str, float]) -> list[Asked]:
    return [
        Asked(f"times {result.name}", ratio(results, 0, number, "bytes"), at_least=wanted[result.name])
        for number, result in enumerate(results)
        if result.name in wanted
    ]
