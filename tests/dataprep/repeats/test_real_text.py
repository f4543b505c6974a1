"""Pages of the demo's crawl, many of which share notices and whole sections, against a plain reading of their words."""

from itertools import islice
from pathlib import Path

import pyarrow as pa

from dataprep.extraction.page import ExtractConfig, extract_page
from dataprep.kernels.word_spans import word_spans
from dataprep.reading.formats import ReaderConfig, read_records
from dataprep.repeats.config import RepeatsConfig, SubstringsConfig
from tests.dataprep.repeats.conftest import ids_of, taken_out, windows_that_go

CRAWL = Path(__file__).parents[3] / "configs" / "crawls" / "demo" / "corpus-001.warc.gz"


def test_of_real_pages_goes_what_stands_before_word_for_word():
    limits = ExtractConfig()
    with CRAWL.open("rb") as stream:
        records = islice(read_records(stream, CRAWL.name, ReaderConfig(), limits.max_record_bytes), 250)
        pages = [extract_page(r.payload, r.content_type, r.charset, limits).text for r in records if not r.problem]
    texts = [text for text in pages if text]
    spans = word_spans(pa.array(texts, pa.large_string()))
    ranges = list(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))
    words = [
        [bytes(spans.data[start:end]).decode().lower() for start, end in ranges[first:stop]]
        for first, stop in zip(spans.offsets[:-1].tolist(), spans.offsets[1:].tolist(), strict=True)
    ]
    expected = windows_that_go(words, 50)
    assert sum(map(len, expected)) > 10_000

    config = RepeatsConfig(substrings=SubstringsConfig(min_words=50), min_words_left=1)
    gone: list[set[int]] = [set() for _ in texts]
    number = {packed: n for n, packed in enumerate(ids_of(len(texts)).to_pylist())}
    for row in taken_out(texts, config, 4).repeats.to_pylist():
        n = number[row["document"]]
        starts = [start - int(spans.text_starts[n]) for start, _ in ranges[spans.offsets[n] : spans.offsets[n + 1]]]
        gone[n] |= {word for word, start in enumerate(starts) if row["start"] <= start < row["end"]}
    assert gone == expected
