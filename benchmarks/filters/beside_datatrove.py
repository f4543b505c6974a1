"""`python -m benchmarks.filters.beside_datatrove`: see README.md beside this."""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.filters.corpus import texts
from benchmarks.filters.families import decisions
from dataprep.kernels.text_buffers import column

ROOT = Path(__file__).parents[2]
LANGUAGE = "en"  # which datatrove's filters are for, unless they are told another
OR = " or "  # between the reasons that one rule of datatrove has


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters.beside_datatrove", description=__doc__)
    parser.add_argument("crawl", type=Path, help="a folder with WARC files (*.warc.gz)")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "filters", help="where their text is kept")
    parser.add_argument("--peers", type=Path, default=ROOT / ".bench" / "peers", help="environments: make bench-peers")
    parser.add_argument("--every", type=int, default=8, help="one English page in so many")
    given = parser.parse_args()
    interpreter = given.peers.absolute() / "datatrove" / "bin" / "python"
    if not interpreter.exists():  # before minutes of extraction
        raise SystemExit(f"error: no datatrove in {given.peers}; `make bench-peers` puts it into .bench/peers")
    text, languages = texts(given.crawl, given.cache, LANGUAGE)
    some = pa.array(range(0, len(text), given.every))
    text, languages = text.take(some), languages.take(some)
    ours, theirs = decisions(text, languages), decisions_of_datatrove(text, interpreter)
    print(f"{len(text):,} pages\n\n{to_markdown(ours, theirs)}")


def decisions_of_datatrove(text: pa.LargeStringArray, interpreter: Path) -> dict[str, np.ndarray]:
    """What its rules say, run by the Python of its environment: bool[texts] by our reason, or reasons with `OR`."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "texts.parquet", Path(folder) / "dropped.parquet"
        pq.write_table(pa.table({"text": text}), asked)
        subprocess.run(
            [interpreter, "-m", "benchmarks.filters.peers.datatrove_rules", asked, answer],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
        )
        table = pq.read_table(answer)
    return {name: column(table, name).to_numpy(zero_copy_only=False) for name in table.column_names}


def to_markdown(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> str:
    """How many texts each rule drops, in all and where the other does not."""
    if {reason for name in theirs for reason in name.split(OR)} != ours.keys():
        raise ValueError("datatrove_rules.py has other rules than the families")
    lines = ["| rule | here | datatrove | here only | datatrove only |", "|---|---|---|---|---|"]
    for name, there in theirs.items():
        reasons = name.split(OR)
        here = np.logical_or.reduce([ours[reason] for reason in reasons])
        counts = (int(drops.sum()) for drops in (here, there, here & ~there, there & ~here))
        lines.append(f"| {OR.join(f'`{reason}`' for reason in reasons)} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
