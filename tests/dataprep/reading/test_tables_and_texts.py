"""CSV, Parquet, plain text and HTML: rows and files as records, and what is wrong with some."""

import gzip
import io
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataprep.reading.formats import ReaderConfig, format_of, read_records

LIMIT = 1000


def read(data: bytes, path: str, limit: int = LIMIT, **config) -> list:
    return list(read_records(io.BytesIO(data), path, ReaderConfig(**config), limit))


def told(records: list) -> list:
    return [record.problem.reason if record.problem else record.text for record in records]


def test_a_csv_row_is_a_document_and_quotes_may_hold_line_ends():
    data = '\ufeffurl,text,date\nhttps://a.example/1,"one, ""two""\nthree",2026-01-02\n\nhttps://a.example/2,four,\n'.encode()
    first, second = read(data, "a.csv")
    assert (first.number, first.url, first.text) == (0, "https://a.example/1", 'one, "two"\nthree')
    assert first.date.isoformat() == "2026-01-02T00:00:00+00:00"
    assert (second.number, second.url, second.text, second.date) == (1, "https://a.example/2", "four", None)
    assert told(read(gzip.compress(data), "a.csv.gz")) == told(read(data, "a.csv"))
    assert told(read(b"text\turl\na, b\tu\n", "a.tsv")) == ["a, b"]


def test_a_csv_row_that_is_wrong_costs_its_line_alone():
    data = b'url,text\nu,one\nu,"never closed\nu,two\nu,three,four\nu,\xff\nu,five\n'
    found = read(data, "a.csv")
    assert told(found) == ["one", "invalid_csv", "two", "invalid_csv", "invalid_csv", "five"]
    assert found[3].problem.detail == "3 fields, and the header has 2"
    long = b"url,text\nu," + b"x" * 2000 + b"\nu,short\n"
    assert told(read(long, "a.csv")) == ["record_too_large", "short"]


def test_csv_rows_that_never_end_do_not_read_the_file_again_for_each():
    data = b"url,text\n" + b'a","c\n' * 30_000 + b"u,good\n"  # each line leaves a quote open, fresh or within one
    begun = time.process_time()
    found = told(read(data, "a.csv", 100_000))
    assert time.process_time() - begun < 5.0
    assert found == ["invalid_csv"] * 30_000 + ["good"]


def test_many_wrong_csv_rows_far_apart_cost_their_line_alone():
    part = b'u,"never closed\n' + b"u,good\n" * 200 + b'u,"one\ntwo"\n'
    assert told(read(b"url,text\n" + part * 50, "a.csv")) == (["invalid_csv"] + ["good"] * 200 + ["one\ntwo"]) * 50


def test_a_csv_file_without_the_column_or_without_rows_says_so():
    assert told(read(b"a,b\n1,2\n", "a.csv")) == ["no_text_field"]
    assert told(read(b"a,b\n1,2\n", "a.csv", text_field="b")) == ["2"]
    (empty,) = read(b"url,text\n", "a.csv")
    assert (empty.problem.reason, empty.problem.detail) == ("empty_file", "nothing but a header")
    assert told(read(b"", "a.csv")) == ["empty_file"]


def parquet(rows: list[dict], schema: pa.Schema | None = None, row_group_size: int = 2) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink, row_group_size=row_group_size, compression="none")
    return sink.getvalue()


ROWS = [{"text": f"text {n} {'x' * 40}", "meta": {"url": f"https://a.example/{n}"}, "more": "y" * 50} for n in range(5)]


def test_a_parquet_row_is_a_document_numbered_over_its_row_groups():
    found = read(parquet(ROWS), "a.parquet", url_field="meta.url")
    assert [(r.number, r.url, r.text) for r in found] == [
        (n, f"https://a.example/{n}", ROWS[n]["text"]) for n in range(5)
    ]
    assert len({r.offset for r in found}) == 3
    assert found[0].num_payload_bytes == 47


def test_a_damaged_row_group_costs_its_rows_and_the_others_keep_their_numbers():
    data = bytearray(parquet(ROWS))
    at = data.index(b"text 2 ") - 30  # the header of its page
    data[at : at + 20] = b"\xff" * 20
    found = read(bytes(data), "a.parquet")
    assert told(found) == [ROWS[0]["text"], ROWS[1]["text"], "unreadable_bytes", ROWS[4]["text"]]
    assert [r.number for r in found] == [0, 1, 2, 4]
    assert found[2].problem.detail.startswith("rows 2 to 3 cannot be read: ")


def test_what_a_parquet_row_lacks_is_said():
    found = read(parquet([{"text": None}, {"text": "x" * 2000}, {"text": "a"}]), "a.parquet")
    assert told(found) == ["no_text_field", "record_too_large", "a"]
    (one, _) = read(parquet([{"body": "a"}, {"body": "b"}]), "a.parquet")
    assert one.problem.detail == "no column 'text'; there are body"
    wrong = pa.array([b"good", b"\xff\xfe"], pa.binary()).view(pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": wrong}), sink)
    assert told(read(sink.getvalue(), "a.parquet")) == ["good", "no_text_field"]
    assert told(read(b"PAR1 nonsense", "a.parquet")) == ["unreadable_bytes"]
    assert told(read(b"", "a.parquet")) == ["empty_file"]


def test_a_text_file_is_one_document_or_one_a_line_or_a_paragraph():
    data = b"One.\nStill one.\n\n\nTwo.\n"
    (whole,) = read(data, "b/c d.txt", base_url="https://a.example/docs/")
    assert (whole.url, whole.content_type, whole.payload) == ("https://a.example/docs/b/c%20d.txt", "text/plain", data)
    assert told(read(data, "a.txt", document="line")) == ["One.", "Still one.", "Two."]
    found = read(data, "a.txt", document="paragraph")
    assert [(r.number, r.url, r.text) for r in found] == [(0, "a.txt#0", "One.\nStill one."), (1, "a.txt#1", "Two.")]
    (latin,) = read("déjà".encode("latin-1"), "a.txt", document="line")
    assert (latin.text, latin.payload) == (None, "déjà".encode("latin-1"))  # the extractor finds its charset
    assert told(read(b"x" * 2000 + b"\nshort\n", "a.txt", document="line")) == ["record_too_large", "short"]


def test_an_html_file_is_a_page():
    (page,) = read(gzip.compress(b"<p>x</p>"), "a.html.gz")
    assert (page.url, page.content_type, page.payload) == ("a.html.gz", "text/html", b"<p>x</p>")
    assert told(read(b"x" * 2000, "a.htm")) == ["record_too_large"]
    assert told(read(b"", "a.htm")) == ["empty_file"]
    assert told(read(gzip.compress(b"<p>x</p>" * 99)[:-9], "a.html.gz")) == ["unreadable_bytes"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("CC-MAIN-1.warc.wet.gz", ("warc", "gzip")),
        ("a.ARC", ("arc", None)),
        ("a.arc.gz", ("arc", "gzip")),
        ("a.warc.zst", ("warc", "zstd")),
        ("a.ndjson.bz2", ("jsonl", "bz2")),
        ("a.jsonl.xz", ("jsonl", "xz")),
        ("part-0.snappy.parquet", ("parquet", None)),
        ("a.parquet.gz", None),
        ("warc", None),
        ("a.gz", None),
        ("a.md", None),
    ],
)
def test_a_name_tells_format_and_compression(path, found):
    assert format_of(path) == found


@pytest.mark.parametrize("date_field", ["date", "meta.date"])
@pytest.mark.parametrize(
    ("kind", "beyond"),
    [
        (pa.timestamp("s"), 253_402_300_800),  # the year 10000 begins
        (pa.timestamp("us", "UTC"), -(10**17)),  # before the year 1
        (pa.date32(), 10_000_000),
    ],
)
def test_a_parquet_row_whose_date_has_no_form_is_a_row_without_a_date(kind, beyond, date_field):
    dates = pa.array([0, beyond, None], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    if date_field == "meta.date":
        dates = pa.StructArray.from_arrays([dates], ["date"])
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["one", "two", "three"], date_field.split(".")[0]: dates}), sink)
    found = read(sink.getvalue(), "a.parquet", date_field=date_field)
    assert told(found) == ["one", "two", "three"]
    assert [record.date and record.date.year for record in found] == [1970, None, None]
