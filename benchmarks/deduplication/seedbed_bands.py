"""Seedbed's text to bands: words, shingles, signatures, band hashes.

python -m benchmarks.deduplication.seedbed_bands FILE

112 permutations, as the others have.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.contest.meter import Meter, report
from benchmarks.deduplication.texts import BATCH_BYTES, read_texts
from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.text_buffers import batches
from dataprep.kernels.words import find_words

CONFIG = MinHashConfig(num_bands=14, rows_per_band=8)


def bands(text: pa.LargeStringArray) -> np.ndarray:
    """uint64[documents, bands]"""
    parts = []
    for start, stop in batches(text, BATCH_BYTES):
        words = find_words(text.slice(start, stop - start))
        parts.append(band_hashes(minhash_signatures(words, CONFIG), CONFIG))
    return np.concatenate(parts)


def main(file: str) -> None:
    text = read_texts(Path(file))
    bands(text.slice(0, 20))  # loads the kernels
    with Meter() as meter:
        bands(text)
    report(meter, pages=len(text), num_bytes=text.nbytes - 8 * (len(text) + 1))


if __name__ == "__main__":
    main(sys.argv[1])
