"""Dolma's taggers gopher_v2 and c4_v2 on texts: FILE.parquet.

They compute attributes; deciding is its mixer's, and not timed.
"""

import os
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.contest.meter import Meter, report


def main(file: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizers" / "punkt").mkdir(parents=True)  # it only looks whether this is there
        os.environ["NLTK_DATA"] = folder
        from dolma.core.data_types import InputSpec
        from dolma.core.registry import TaggerRegistry

        texts = pq.read_table(file)["text"].to_pylist()
        taggers = [TaggerRegistry.get(name)() for name in ("gopher_v2", "c4_v2")]
        rows = [InputSpec(id=str(i), text=text, source="bench", version="0") for i, text in enumerate(texts)]
        for tagger in taggers:
            tagger.tag(rows[0])
        with Meter() as meter:
            for row in rows:
                for tagger in taggers:
                    tagger.tag(row)
    report(meter, pages=len(texts), num_bytes=sum(len(text.encode()) for text in texts))


if __name__ == "__main__":
    main(sys.argv[1])
