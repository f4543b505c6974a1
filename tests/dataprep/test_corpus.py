import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.corpus import CorpusConfig, FinalForm, corpus, finalise
from dataprep.errors import CorruptDataError
from dataprep.personal_data import MaskConfig, PersonalDataConfig
from dataprep.split import SplitConfig

TOKEN = "|||EMAIL_ADDRESS|||"
CONFIG, FOUND = CorpusConfig(), PersonalDataConfig()


def final(text: str, **config) -> tuple[str, int, int]:
    """The final form of one text, the bytes added and the bytes cut."""
    result, account = finalise(pa.array([text], pa.large_string()), CorpusConfig(**config), FOUND)
    assert account.num_documents == 1
    assert account.num_bytes_in == len(text.encode())
    assert account.num_bytes_out == len(result[0].as_py().encode())
    return result[0].as_py(), account.num_bytes_added, account.num_bytes_cut


def test_extra_blank_lines_go():
    assert final("\n  a\nb\n\n\n\nc\n\n") == ("  a\nb\n\nc", 0, 1 + 2 + 2)
    assert final("\na\n\n\n\nb\n", collapse_blank_lines=False) == ("\na\n\n\n\nb\n", 0, 0)


def test_blanks_that_a_cut_leaves_at_the_end_of_a_line_go():
    assert final("to a@b.co\nx", personal_data=MaskConfig(email="cut")) == ("to\nx", 0, 6 + 1)


def test_an_address_is_cut_and_its_token_added():
    text, account = finalise(pa.array(["to a@b.co or c@d.org", "none", "x@y.zz"], pa.large_string()), CONFIG, FOUND)
    assert text.to_pylist() == [f"to {TOKEN} or {TOKEN}", "none", TOKEN]
    assert account == FinalForm(3, 20 + 4 + 6, 3 * 19, 6 + 7 + 6, 45 + 4 + 19, (3, 0, 0, 0, 0))
    assert account + account == FinalForm(6, 60, 114, 38, 136, (6, 0, 0, 0, 0))


def test_addresses_stay_when_told_so():
    assert final("a@b.co", personal_data=MaskConfig(email="keep")) == ("a@b.co", 0, 0)
    assert final("a@b.co", personal_data=MaskConfig(email="cut")) == ("", 0, 6)


def test_an_empty_column_and_a_slice():
    empty, account = finalise(pa.array([], pa.large_string()), CONFIG, FOUND)
    assert (len(empty), account) == (0, FinalForm())
    whole = pa.array(["xé", "é\n", "a@b.co"], pa.large_string())
    assert finalise(whole[1:2], CONFIG, FOUND) == (pa.array(["é"], pa.large_string()), FinalForm(1, 3, 0, 1, 2))


# Pieces that rules act on, next to whatever Hypothesis likes.
BASES = ["a", "e\u0301", "<", "|", "@", ".", "-", "_", "com", "a@b.co", "\u0958", "\uac00", "\u1100", "＠", "．"]
MARKS = ["\u0301", "\u0323", "\u0338", "\u1161", "é" + "\u0301" * 31]
BLANKS = [" ", "\t", "\u3000", "\n", "\r", "\r\n", "\x85", "\x00"]
PIECES = st.sampled_from([*BASES, *MARKS, *BLANKS])
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)
CONFIGS = st.builds(
    CorpusConfig,
    personal_data=st.builds(MaskConfig, email=st.sampled_from(["mask", "keep", "cut"])),
    collapse_blank_lines=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=3), CONFIGS)
def test_the_final_form_is_final_and_bytes_are_conserved(texts, config):
    array = pa.array(texts, pa.large_string())
    once, account = finalise(array, config, FOUND)
    twice, nothing = finalise(once, config, FOUND)
    assert twice.to_pylist() == once.to_pylist()
    assert (nothing.num_bytes_added, nothing.num_bytes_cut, sum(nothing.num_masked)) == (0, 0, 0)
    num_bytes_in, num_bytes_out = (sum(len(text.encode()) for text in a.to_pylist()) for a in (array, once))
    assert num_bytes_in + account.num_bytes_added == num_bytes_out + account.num_bytes_cut


@pytest.mark.parametrize(
    "unit", ["a", "a.", "a@", "a-", "a@b.", "a@b.co-", "a@b.co.1", "a@b.1.", " ", " \n", " a", "\u0301\u0323", "\n a"]
)
def test_no_text_takes_more_than_linear_time(unit):
    text = pa.array([unit * (1 << 20)], pa.large_string())
    start = time.perf_counter()
    finalise(text, CONFIG, FOUND)
    assert time.perf_counter() - start < 5  # under half a second here; squared it would be hours


def shard(*texts: str) -> dict[str, pa.Table]:
    rows = [
        {"id": i.to_bytes(16, "big"), "url": f"u{i}", "offset": 0, "num_payload_bytes": 0, "text": text}
        for i, text in enumerate(texts)
    ]
    documents = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
    edits = clean(documents, CleanConfig())
    attributes = annotate(documents, edits, AnnotateConfig())
    verdicts = [
        {"id": i.to_bytes(16, "big"), "num_bytes": 0, "reason": "too_few_words" if "drop" in text else None}
        for i, text in enumerate(texts)
        if "early" not in text
    ]
    return {
        "documents": documents,
        "edits": edits,
        "attributes": attributes,
        "verdicts": pa.Table.from_pylist(verdicts, schemas.VERDICTS),
    }


def test_what_is_kept_stands_in_its_final_form():
    tables = shard("gone early", "first\r\nwe use cookies\nlast\n", "drop me", "The end of it is at a@b.co")
    table, account = corpus(**tables, split=SplitConfig(validation_fraction=0.999), config=CONFIG, personal_data=FOUND)
    assert table.schema == schemas.CORPUS
    assert table["id"].to_pylist() == [i.to_bytes(16, "big") for i in (1, 3)]
    assert table["url"].to_pylist() == ["u1", "u3"]
    assert table["language"].to_pylist()[1] == "en"
    assert table["split"].to_pylist() == ["validation", "validation"]
    assert table["text"].to_pylist() == ["first\nlast", f"The end of it is at {TOKEN}"]
    assert account.num_documents == 2
    assert account.num_bytes_in == len("first\nlast\n") + len("The end of it is at a@b.co")


def test_nothing_kept_gives_an_empty_corpus():
    table, account = corpus(**shard("drop"), split=SplitConfig(), config=CONFIG, personal_data=FOUND)
    assert table.equals(schemas.CORPUS.empty_table())
    assert account == FinalForm()


def test_a_swapped_byte_is_caught():
    tables = shard("as it was", "as it is")
    swapped = pa.array(["as it was", "as it iz"], pa.large_string())
    tables["documents"] = tables["documents"].set_column(8, schemas.DOCUMENTS.field("text"), swapped)
    with pytest.raises(CorruptDataError, match=r"document 0{31}1: its surviving text has the XXH3-128"):
        corpus(**tables, split=SplitConfig(), config=CONFIG, personal_data=FOUND)


def test_tables_that_do_not_fit_are_refused():
    tables, other = shard("a", "b"), shard("a")
    with pytest.raises(CorruptDataError, match="2 documents do not stand beside 1 attributes"):
        corpus(**{**tables, "attributes": other["attributes"]}, split=SplitConfig(), config=CONFIG, personal_data=FOUND)
    with pytest.raises(CorruptDataError, match="verdicts keep 2 documents, of which 1 are in this shard"):
        corpus(**{**other, "verdicts": tables["verdicts"]}, split=SplitConfig(), config=CONFIG, personal_data=FOUND)
