"""The text that filters and deduplication are measured on."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dataprep.extraction.page import ExtractConfig, check_answer, extract_page
from dataprep.reading.formats import ReaderConfig, read_records


def main_texts(warcs: Iterable[Path]) -> Iterator[str]:
    """The main text of each page that has some, as Seedbed extracts it by default."""
    limits = ExtractConfig()
    for warc in warcs:
        with warc.open("rb") as stream:
            for record in read_records(stream, warc.name, ReaderConfig(), limits.max_record_bytes):
                if record.problem or check_answer(record.http_status, record.content_type, record.payload):
                    continue
                text = extract_page(record.payload, record.content_type, record.charset, limits).text
                if text:
                    yield text
