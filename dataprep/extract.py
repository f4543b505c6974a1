"""The step `extract`: the records of one crawl file become documents, or rows that say why not."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from dataprep import document_id
from dataprep.extraction.isolation import IsolatedExtractor, Page
from dataprep.extraction.page import ExtractConfig, Extracted, check_answer
from dataprep.reading.record import Problem, Record
from dataprep.reading.rights import rights_of
from dataprep.schemas import DOCUMENTS, UNREAD

OnText = Callable[[bytes, str], None]

MAX_BATCH_PAGES = 64
MAX_BATCH_BYTES = 1 << 20
"""Pages sent to the extracting process at a time: what it costs to hand over to it is shared among them. Enough for
that, and little enough to be repeated page by page when one of them takes the process with it."""


def extract(
    records: Iterator[Record], prefix: bytes, config: ExtractConfig, on_text: OnText | None = None
) -> tuple[pa.Table, pa.Table]:
    """(`documents`, `unread`): every record is a row of one of the two tables.

    `prefix` leads the ids of the file (`document_id.file_prefix`). `on_text` is told the id and the text of each
    document when it is extracted.
    """
    documents: dict[str, list] = {name: [] for name in DOCUMENTS.names}
    unread: dict[str, list] = {name: [] for name in UNREAD.names}
    with IsolatedExtractor(config) as extractor:
        for record, extracted in _extracted(records, extractor):
            row = {"id": document_id.pack(prefix, record.number), **_common(record)}
            if extracted.problem is not None:
                _append(unread, row | vars(extracted.problem))
                continue
            text, charset = extracted.text, extracted.charset
            if on_text is not None:
                on_text(row["id"], text)
            _append(documents, row | _said(record) | {"charset": charset, "text": text})
    return pa.table(documents, schema=DOCUMENTS), pa.table(unread, schema=UNREAD)


def _common(record: Record) -> dict:
    return {"url": record.url, "num_payload_bytes": record.num_payload_bytes}


def _said(record: Record) -> dict:
    """The columns of `documents` that come from the record and its headers, and what the page says of its own use."""
    kind = record.content_type
    rights = rights_of(record.payload, kind is None or "html" in kind, record.rights)
    return {
        "date": record.date,
        "offset": record.offset,
        "http_status": record.http_status,
        "content_type": kind,
        "last_modified": record.last_modified,
        "truncated": record.truncated,
        **rights._asdict(),
    }


def _append(columns: dict[str, list], row: dict) -> None:
    for name, values in columns.items():
        values.append(row[name])


def _extracted(records: Iterator[Record], extractor: IsolatedExtractor) -> Iterator[tuple[Record, Extracted]]:
    """Each record with what came of it, in order."""
    waiting: list[tuple[Record, Extracted | None]] = []  # None: a page that is still to be sent
    pages: list[Page] = []
    num_bytes = 0
    for record in records:
        known = _without_extraction(record)
        waiting.append((record, known))
        if known is None:
            pages.append((record.payload, record.content_type, record.charset))
            num_bytes += len(record.payload)
        if len(waiting) >= MAX_BATCH_PAGES or num_bytes >= MAX_BATCH_BYTES:
            yield from _settled(waiting, pages, extractor)
            waiting, pages, num_bytes = [], [], 0
    yield from _settled(waiting, pages, extractor)


def _settled(
    waiting: list[tuple[Record, Extracted | None]], pages: list[Page], extractor: IsolatedExtractor
) -> Iterator[tuple[Record, Extracted]]:
    answers = iter(extractor.extract(pages) if pages else ())
    for record, known in waiting:
        yield record, known if known is not None else next(answers)


def _without_extraction(record: Record) -> Extracted | None:
    """What a record gives that needs no look at its markup; None for a page."""
    if record.problem is not None:
        return Extracted(problem=record.problem)
    if record.text is not None:
        empty = Problem("empty_page", 0) if not record.text.strip() else None
        return Extracted(record.text, "utf-8", empty)
    problem = check_answer(record.http_status, record.content_type, record.payload)
    return Extracted(problem=problem) if problem is not None else None
