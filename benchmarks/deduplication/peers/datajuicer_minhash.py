"""Data-Juicer's document_minhash_deduplicator over its dataset, one process: kept FILE"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"

import datasets
from data_juicer.core.data import NestedDataset
from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator
from loguru import logger

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.peers.shingles import NUM_BANDS, NUM_PERMUTATIONS, ROWS, WORDS, num_bytes, texts


def main(file: str) -> None:
    logger.remove()
    datasets.disable_caching()
    operator = DocumentMinhashDeduplicator(
        tokenization="space",
        window_size=WORDS,
        lowercase=True,
        num_permutations=NUM_PERMUTATIONS,
        num_bands=NUM_BANDS,
        num_rows_per_band=ROWS,
        num_proc=1,
        auto_op_parallelism=False,
    )
    with tempfile.TemporaryDirectory() as folder, Meter() as meter:
        read = texts(file)
        left = operator.run(NestedDataset(datasets.Dataset.from_dict({"text": read})))
        left.to_parquet(str(Path(folder) / "kept.parquet"))
    report(meter, pages=len(read), num_bytes=num_bytes(read), removed=len(read) - len(left))


if __name__ == "__main__":
    main(sys.argv[2])
