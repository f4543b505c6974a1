"""`clean` on texts, as it is by default or with the line rules of C4 and RefinedWeb.

python -m benchmarks.dataprep.seedbed_clean default|line_rules FILE.parquet
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contest.meter import Meter, report
from dataprep.clean import CleanConfig, RefinedWebConfig, clean
from dataprep.kernels.text_buffers import column

CONFIGS = {
    "default": CleanConfig(),
    "line_rules": CleanConfig(terminal_punctuation=True, min_words=3, refinedweb=RefinedWebConfig()),
}
PASSES = 5  # over the texts, for seconds that can be measured


def main(rules: str, file: str) -> None:
    texts = column(pq.read_table(file), "text")
    ids = pa.array([number.to_bytes(16, "big") for number in range(len(texts))], pa.binary(16))
    documents = pa.table({"id": ids, "text": texts})
    clean(documents.slice(0, 20), CONFIGS[rules])  # loads the kernels
    with Meter() as meter:
        for _ in range(PASSES):
            clean(documents, CONFIGS[rules])
    report(meter, pages=PASSES * len(texts), num_bytes=PASSES * texts.nbytes)


if __name__ == "__main__":
    main(*sys.argv[1:])
