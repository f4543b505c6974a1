import pyarrow as pa
import pytest

from dataprep.document_id import file_prefix, pack
from dataprep.errors import CorruptDataError, DataError
from dataprep.removals import Entry, Removals, parse
from dataprep.schemas import ID
from dataprep.select import SelectConfig, beside_attributes, select

LIST = """\
# Asked for on 28 November
docs/a.warc.gz#2
https://X.example/page?utm_source=mail#top # by its author
gone.example
"""
IDS = [pack(file_prefix("docs", "a.warc.gz"), number) for number in range(6)]
URLS = [
    "http://x.example/page",
    "http://x.example/page?id=1",
    None,
    "http://www.gone.example/",
    "http://[2606::1]/",
    "bad",
]


def test_an_entry_is_an_id_a_url_or_a_domain():
    assert [(entry.kind, entry.value) for entry in parse(LIST.encode(), "list")] == [
        (1, IDS[2].hex()),
        (2, "x.example/page"),
        (3, "gone.example"),
    ]
    assert Entry.parse(IDS[2].hex()) == Entry.parse("docs/a.warc.gz#2")
    assert Entry.parse("http://x.example/a#1").kind == 2
    assert Entry.parse("*.Bücher.example") == Entry(3, "xn--bcher-kva.example")


@pytest.mark.parametrize("text", ["word", "x.example/page", "1.2.3.4", "a b.example", "http://", "@x.example"])
def test_what_is_none_of_them_is_refused_with_its_line(text):
    with pytest.raises(DataError, match="list, line 2: "):
        parse(f"x.example\n{text}".encode(), "list")


def documents() -> pa.Table:
    return pa.table({"id": pa.array(IDS, ID), "url": pa.array(URLS, pa.string())})


def test_documents_are_found_by_id_url_and_domain():
    removals = Removals.of(parse(LIST.encode(), "list"))
    assert removals.match(documents()).tolist() == [2, 0, 1, 3, 0, 0]
    assert Removals.of([Entry.parse("https://[2606::1]/")]).match(documents()).tolist() == [0, 0, 0, 0, 2, 0]
    assert Removals.of([Entry.parse(["x.example", "8080"][0])]).match(documents()).tolist() == [3, 3, 0, 0, 0, 0]


def test_what_is_asked_to_go_goes_before_any_filter_looks():
    attributes = pa.table({"id": pa.array(IDS, ID), "num_bytes": [1] * 6, "num_words": [0, 1, 1, 1, 1, 1]})
    beside = beside_attributes(attributes, documents(), Removals.of(parse(LIST.encode(), "list")), None)
    verdicts = select(beside, SelectConfig())
    assert verdicts["reason"].to_pylist() == ["removed_by_url", None, "removed_by_id", "removed_by_domain", None, None]
    assert verdicts["value"].null_count == verdicts["threshold"].null_count == 6
    plain = select(beside_attributes(attributes, documents(), None, None), SelectConfig())
    assert plain["reason"].to_pylist() == ["empty", None, None, None, None, None]


def test_documents_of_another_shard_are_refused():
    attributes = pa.table({"id": pa.array(IDS[:5], ID), "num_bytes": [1] * 5, "num_words": [1] * 5})
    with pytest.raises(CorruptDataError, match="6 documents do not stand beside 5 attributes"):
        beside_attributes(attributes, documents(), None, None)
