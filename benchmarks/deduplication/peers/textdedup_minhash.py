"""text-dedup's MinHash command line, its start included: kept FILE

Words by its own rule (`\\W`); documents of any length.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import datasets

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, ROWS, WORDS, num_bytes, texts


def main(file: str) -> None:
    read = texts(file)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets.Dataset.from_dict({"text": read}).save_to_disk(str(folder / "source"))
        options = {
            "path": folder / "source",
            "cache_dir": folder / "cache",
            "split": "train",
            "output": folder / "kept",
            "column": "text",
            "ngram": WORDS,
            "min_length": 1,
            "num_perm": NUM_PERMUTATIONS,
            "b": NUM_BANDS,
            "r": ROWS,
            "hash_func": "xxh3",
            "num_proc": 1,
            "batch_size": 10_000,
        }
        flags = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        with Meter() as meter:
            ended = subprocess.run(
                [sys.executable, "-m", "text_dedup.minhash", "--local", *flags], capture_output=True, text=True
            )
        if ended.returncode:
            raise SystemExit(ended.stderr[-3000:])
        left = len(datasets.load_from_disk(str(folder / "kept")))
    report(meter, pages=len(read), num_bytes=num_bytes(read), removed=len(read) - left)


if __name__ == "__main__":
    main(sys.argv[2])
