"""Where a benchmark finds what it needs."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest.rounds import Contender


@dataclass(frozen=True)
class Setting:
    """WARC files, a folder for what is made of them, the peers' environments (None: no peers)."""

    corpus: Path
    work: Path
    peers: Path | None
    rounds: int

    def warcs(self) -> list[Path]:
        found = sorted(self.corpus.glob("*.warc.gz"))
        if not found:
            raise SystemExit(f"no *.warc.gz in {self.corpus}")
        return found

    def peer(self, name: str, environment: str, module: str, *arguments: str) -> list[Contender]:
        """The contender, or nobody where its environment is not there."""
        interpreter = None if self.peers is None else self.peers / environment / "bin" / "python"
        if interpreter is None or not interpreter.exists():
            return []
        return [Contender(name, [str(interpreter), "-m", module, *arguments])]
