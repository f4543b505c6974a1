"""The texts that the families are measured on: what is extracted of a folder of WARC files, kept in Parquet."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from dataprep import language
from dataprep.extraction.page import ExtractConfig, check_answer, extract_page
from dataprep.kernels.text_buffers import column
from dataprep.reading.formats import ReaderConfig, read_records

LANGUAGE_CHARACTERS = 2000  # as AnnotateConfig


def texts(crawl: Path, cache: Path, only: str | None = None) -> tuple[pa.LargeStringArray, pa.StringArray]:
    """Text and language of every page of the crawl's files, in order; of one language where `only` names one."""
    files = sorted(crawl.resolve().glob("*.warc.gz"))
    parts = [_cached(file, cache / f"{xxhash.xxh3_64_hexdigest(str(file).encode())}.parquet") for file in files]
    if not parts:
        raise FileNotFoundError(f"{crawl} holds no *.warc.gz")
    table = pa.concat_tables(parts)
    if only is not None:
        table = table.filter(pc.equal(table["language"], only))
    return column(table, "text"), column(table, "language")


def _cached(file: Path, cached: Path) -> pa.Table:
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        text = pa.array(list(_pages(file)), pa.large_string())
        languages, _ = language.identify(text, LANGUAGE_CHARACTERS)
        pq.write_table(pa.table({"language": languages, "text": text}), cached)
    return pq.read_table(cached)


def _pages(file: Path) -> Iterator[str]:
    config = ExtractConfig()
    with file.open("rb") as stream:
        for record in read_records(stream, file.name, ReaderConfig(), config.max_record_bytes):
            if record.problem is None and check_answer(record.http_status, record.content_type, record.payload) is None:
                page = extract_page(record.payload, record.content_type, record.charset, config)
                if page.problem is None:
                    yield page.text
