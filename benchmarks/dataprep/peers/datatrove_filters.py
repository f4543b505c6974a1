"""datatrove's Gopher repetition, Gopher quality, C4 and FineWeb filters on texts: FILE.parquet.

Chained as in its pipelines: what one filter drops costs the next nothing.
"""

import sys

import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.logging import logger

from benchmarks.contest.meter import Meter, report


def main(file: str) -> None:
    logger.remove()
    texts = pq.read_table(file)["text"].to_pylist()
    chain = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(), FineWebQualityFilter()]
    for one in chain:  # loads its word splitter
        list(one.run(iter([Document(text="A short line of words.", id="warm")])))
    with Meter() as meter:
        documents = (Document(text=text, id=str(i)) for i, text in enumerate(texts))
        for one in chain:
            documents = one.run(documents)
        kept = sum(1 for _ in documents)
    report(meter, pages=len(texts), num_bytes=sum(len(text.encode()) for text in texts), kept=kept)


if __name__ == "__main__":
    main(sys.argv[1])
