"""Data-Juicer's text filters through its dataset runner, words computed once (its operator fusion): FILE.parquet.

The nearest to Gopher, C4 and FineWeb that needs no downloaded list of words.
"""

import os
import sys

import pyarrow.parquet as pq

os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"

import datasets
from data_juicer.core.data import NestedDataset
from data_juicer.ops import load_ops
from data_juicer.ops.op_fusion import fuse_operators
from loguru import logger

from benchmarks.contest.meter import Meter, report

FILTERS = [
    {"text_length_filter": {"min_len": 200}},
    {"average_line_length_filter": {"min_len": 10}},
    {"maximum_line_length_filter": {"min_len": 20}},
    {"alphanumeric_filter": {"min_ratio": 0.25}},
    {"special_characters_filter": {"max_ratio": 0.25}},
    {"character_repetition_filter": {"rep_len": 10, "max_ratio": 0.5}},
    {"words_num_filter": {"min_num": 50, "max_num": 100_000}},
    {"word_repetition_filter": {"rep_len": 5, "max_ratio": 0.15}},
    {"word_repetition_filter": {"rep_len": 10, "max_ratio": 0.10}},
]


def main(file: str) -> None:
    logger.remove()
    datasets.disable_caching()
    texts = pq.read_table(file)["text"].to_pylist()
    for one in FILTERS:
        next(iter(one.values())).update(num_proc=1, auto_op_parallelism=False)
    operators = fuse_operators(load_ops(FILTERS))

    def run(rows: list[str]) -> int:
        dataset = NestedDataset(datasets.Dataset.from_dict({"text": rows}))
        for operator in operators:
            dataset = operator.run(dataset)
        return len(dataset)

    run(texts[:20])
    with Meter() as meter:
        kept = run(texts)
    report(meter, pages=len(texts), num_bytes=sum(len(text.encode()) for text in texts), kept=kept)


if __name__ == "__main__":
    main(sys.argv[1])
