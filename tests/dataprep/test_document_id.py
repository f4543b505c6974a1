import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep import document_id
from dataprep.errors import DataError

names = st.text(st.characters(blacklist_characters="/#", blacklist_categories=["Cs"]), min_size=1, max_size=8)
records = st.integers(0, document_id.MAX_RECORDS_IN_A_FILE - 1)


@given(names, st.lists(names, min_size=1, max_size=3), records)
def test_what_is_written_out_leads_back_to_the_same_id(source, parts, record):
    path = "/".join(parts)
    packed = document_id.pack(document_id.file_prefix(source, path), record)
    assert len(packed) == 16
    assert document_id.parse_id(document_id.format_id(packed, source, path)) == packed


@given(records, records)
def test_ids_of_a_file_ascend_with_the_place(a, b):
    prefix = document_id.file_prefix("docs", "x.warc.gz")
    assert (document_id.pack(prefix, a) < document_id.pack(prefix, b)) == (a < b)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=30), st.integers(0, 5))
def test_ids_as_pairs_of_words_order_and_return_as_they_are(ids, start):
    array = pa.array(ids, document_id.ID).slice(min(start, len(ids)))
    high, low = document_id.words(array)
    assert document_id.from_words(high, low).to_pylist() == array.to_pylist()
    pairs = list(zip(high.tolist(), low.tolist(), strict=True))
    assert [p for _, p in sorted(zip(array.to_pylist(), pairs, strict=True))] == sorted(pairs)


def test_the_layout_is_what_the_docstring_says_for_ever():
    # Golden: an id that changes orphans every ledger that was ever written.
    assert (
        document_id.pack(document_id.file_prefix("docs", "a/b.warc"), 258).hex() == "c6c3fd0c830ed7a506641d0000000102"
    )
    assert document_id.file_prefix("x", "a/b.warc")[3:] == document_id.file_prefix("docs", "a/b.warc")[3:]


@pytest.mark.parametrize(
    "text", ["", "a/b", "a#1", "#1", "a/b#x", "a/b#-1", "a/b#²", "https://a.example/x", "a/b#" + "9" * 20]
)
def test_what_has_not_the_form_of_an_id_is_none(text):
    assert document_id.parse_id(text) is None


def test_a_record_number_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="does not fit into 40 bits"):
        document_id.pack(document_id.file_prefix("docs", "x"), 1 << 40)


def test_two_files_that_would_share_ids_are_refused():
    with pytest.raises(DataError, match="docs/x and docs/x have the same id prefix"):
        document_id.file_prefixes([("docs", "x"), ("docs", "x")])


def test_ascending_means_that_no_id_stands_twice():
    a, b = b"\0" * 15 + b"\1", b"\0" * 15 + b"\2"
    assert document_id.ascend(pa.array([a, b], document_id.ID))
    assert not document_id.ascend(pa.array([a, a], document_id.ID))
    assert not document_id.ascend(pa.array([b, a], document_id.ID))


def test_the_mix_depends_on_every_part_of_the_id_and_on_the_seed():
    ids = pa.array([b"\0" * 16, b"\1" + b"\0" * 15, b"\0" * 15 + b"\1"], document_id.ID)
    assert len({*document_id.mix(ids, 0).tolist(), *document_id.mix(ids, 1).tolist()}) == 6
