from collections.abc import Iterator

from dataprep import document_id
from dataprep import extract as extract_module
from dataprep.extract import extract
from dataprep.extraction.page import ExtractConfig
from dataprep.reading.record import Problem, Record

PREFIX = document_id.file_prefix("docs", "a.warc")


def records() -> Iterator[Record]:
    for number in range(10):
        if number % 3 == 2:
            yield Record(number, number, problem=Problem("not_a_response"))
        elif number == 4:
            yield Record(number, number, text="plain")
        else:
            yield Record(number, number, http_status=200, content_type="text/html", payload=b"<p>page %d</p>" % number)


def test_rows_stand_in_the_order_of_the_records_whatever_was_sent_together(monkeypatch):
    whole = extract(records(), PREFIX, ExtractConfig())
    documents, unread = whole
    assert documents["text"].to_pylist() == [f"page {n}" if n != 4 else "plain" for n in (0, 1, 3, 4, 6, 7, 9)]
    assert [document_id.record_number(i) for i in unread["id"].to_pylist()] == [2, 5, 8]
    for pages, num_bytes in ((1, 1 << 20), (3, 1 << 20), (64, 25)):
        monkeypatch.setattr(extract_module, "MAX_BATCH_PAGES", pages)
        monkeypatch.setattr(extract_module, "MAX_BATCH_BYTES", num_bytes)
        again = extract(records(), PREFIX, ExtractConfig())
        assert all(a.equals(b) for a, b in zip(again, whole, strict=True))
