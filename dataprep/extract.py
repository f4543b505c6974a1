"""The step `extract`: the records of one crawl file become documents, or rows that say why not."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from dataprep import document_id
from dataprep.extraction.isolation import IsolatedExtractor
from dataprep.extraction.page import ExtractConfig, Extracted, check_answer
from dataprep.reading.record import Problem, Record
from dataprep.reading.rights import rights_of
from dataprep.schemas import DOCUMENTS, UNREAD

OnText = Callable[[bytes, str], None]


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
        for record in records:
            extracted = _extract_record(record, extractor)
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


def _extract_record(record: Record, extractor: IsolatedExtractor) -> Extracted:
    if record.problem is not None:
        return Extracted(problem=record.problem)
    if record.text is not None:
        empty = Problem("empty_page", 0) if not record.text.strip() else None
        return Extracted(record.text, "utf-8", empty)
    problem = check_answer(record.http_status, record.content_type, record.payload)
    if problem is not None:
        return Extracted(problem=problem)
    return extractor.extract(record.payload, record.content_type, record.charset)
