"""Seedbed's Gopher quality and repetition, C4 and FineWeb on texts: FILE.parquet. Every rule decides on every page."""

import sys

import pyarrow.parquet as pq

from benchmarks.contest.meter import Meter, report
from benchmarks.filters.families import seconds
from dataprep.kernels.text_buffers import column


def main(file: str) -> None:
    texts = column(pq.read_table(file), "text")
    seconds(texts.slice(0, 20))  # loads the kernels
    with Meter() as meter:
        seconds(texts)
    report(meter, pages=len(texts), num_bytes=texts.nbytes)


if __name__ == "__main__":
    main(sys.argv[1])
