"""datatrove's four MinHash stages on one file, with its local executor: kept FILE

Its default normalization is kept; word 5-grams by its own tokenizer, 14 buckets of 8 hashes of 64 bits.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.logging import logger

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.peers.shingles import NUM_BANDS, ROWS, WORDS, num_bytes, texts


def main(file: str) -> None:
    logger.remove()
    read = texts(file)
    config = MinhashConfig(
        n_grams=WORDS, num_buckets=NUM_BANDS, hashes_per_bucket=ROWS, hash_config=HashConfig(precision=64)
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files.txt").write_text(Path(file).name)

        def reader() -> ParquetReader:
            return ParquetReader(str(Path(file).parent), paths_file=str(folder / "files.txt"))

        def stage(what: str, pipeline: list[Any], tasks: int) -> None:
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / what)).run()

        signatures, buckets, removed = (str(folder / part) for part in ("signatures", "buckets", "removed"))
        with Meter() as meter:
            stage("signatures", [reader(), MinhashDedupSignature(signatures, config=config)], 1)
            stage("buckets", [MinhashDedupBuckets(signatures, buckets, config=config)], NUM_BANDS)
            stage("cluster", [MinhashDedupCluster(buckets, removed, config=config)], 1)
            stage("filter", [reader(), MinhashDedupFilter(removed), ParquetWriter(str(folder / "kept"))], 1)
        left = sum(pq.read_metadata(part).num_rows for part in (folder / "kept").rglob("*.parquet"))
    report(meter, pages=len(read), num_bytes=num_bytes(read), removed=len(read) - left)


if __name__ == "__main__":
    main(sys.argv[2])
