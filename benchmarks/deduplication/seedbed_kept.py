"""Seedbed's texts to kept ids, verified, on one core. python -m benchmarks.deduplication.seedbed_kept FILE"""

import sys
from pathlib import Path

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.in_memory import deduplicate
from benchmarks.deduplication.texts import read_texts
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.minhash import MinHashConfig


def main(file: str) -> None:
    minhash, config = MinHashConfig(), DeduplicateConfig()
    deduplicate(read_texts(Path(file)).slice(0, 50), minhash, config)  # loads the kernels
    with Meter() as meter:
        text = read_texts(Path(file))
        found = deduplicate(text, minhash, config)
    report(
        meter,
        pages=len(text),
        num_bytes=text.nbytes - 8 * (len(text) + 1),
        removed=found.losers.num_rows,
        candidates=found.candidates.num_rows,
        verified=found.verified.num_rows,
    )


if __name__ == "__main__":
    main(sys.argv[1])
