"""Against fastText's own C++, label by label and score by score."""

import functools
import gzip
import json
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.fasttext_model import FasttextModel, read_model
from dataprep.kernels import fasttext as kernel
from dataprep.kernels.fasttext import BLANK, predict
from dataprep.kernels.fasttext_tables import PredictorTables, predictor_tables
from dataprep.language import model_file

DEMO_CRAWL = Path(__file__).parents[3] / "configs" / "crawls" / "demo"
CORPORA = [folder / "shared" / "corpora" for folder in Path(__file__).resolve().parents]
UDHR = next((path for path in (folder / "text" / "udhr.jsonl.gz" for folder in CORPORA) if path.exists()), None)

# On x86-64 every score is the very same float32. Elsewhere a compiler may round a product and a sum once.
MOST_DIFFERENCE = 1e-6

ENGLISH = "All human beings are born free and equal in dignity and rights."
TOKENS = st.one_of(
    st.sampled_from(
        ["the", "und", "</s>", "</s", "__label__en", "__label__", "_", "<", "<>", "東京都", "и", "\ufeff", "💩"]
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    st.text("abcéяا漢", min_size=1, max_size=300),
)
SEPARATORS = st.sampled_from([" ", "\n", "\r", "\t", "\v", "\f", "\0", "  ", "\u3000", "\x1c", "\x85", ""])
LINES = st.lists(st.tuples(TOKENS, SEPARATORS), max_size=30).map(lambda pairs: "".join(map("".join, pairs)))


@functools.cache
def model() -> FasttextModel:
    return read_model(model_file())


@functools.cache
def tables() -> PredictorTables:
    return predictor_tables(model())


@functools.cache
def oracle() -> fasttext.FastText._FastText:
    return fasttext.load_model(str(model_file()))


def large(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def check_equal(texts: list[str], num_characters: int) -> None:
    """Ours of `texts` is fastText's, of each by itself."""
    labels, scores = predict(large(texts), tables(), num_characters)
    assert (labels.dtype, scores.dtype) == (np.int16, np.float32)
    for text, label, score in zip(texts, labels.tolist(), scores.tolist(), strict=True):
        head = text[:num_characters].replace("\n", " ")
        if not head or head.isspace():
            assert (label, score) == (BLANK, 0.0)
            continue
        (expected_label,), (expected_score,) = oracle().predict(head)
        assert f"__label__{model().labels[label]}" == expected_label, head
        assert abs(score - expected_score) <= MOST_DIFFERENCE, head


@functools.cache
def demo_pages() -> list[str]:
    """The HTML of the demo's pages as it stands: markup and scripts give tokens of every kind and length."""
    pages = []
    for path in sorted(DEMO_CRAWL.glob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
                pages.append(record.reader.read().decode("utf-8", "replace"))
    return pages


@pytest.mark.parametrize("num_characters", [80, 2000])
def test_the_demos_pages_have_the_labels_and_scores_of_fasttext(num_characters):
    assert len(demo_pages()) > 1500
    check_equal(demo_pages(), num_characters)


@pytest.mark.skipif(UDHR is None, reason="no shared/corpora/text/udhr.jsonl.gz above this checkout")
@pytest.mark.parametrize("num_characters", [80, 2000, 1_000_000])
def test_464_languages_have_the_labels_and_scores_of_fasttext(num_characters):
    with gzip.open(UDHR, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert len(texts) == 464
    check_equal(texts, num_characters)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=5), st.integers(1, 400))
def test_any_text_has_the_label_and_score_of_fasttext(texts, num_characters):
    check_equal(texts, num_characters)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_string_has_the_label_and_score_of_fasttext(text):
    check_equal([text], 2000)


def test_every_word_of_the_vocabulary_is_found():
    check_equal([word.decode() for word in model().words], 2000)


def test_whitespace_is_what_python_takes_for_it():
    """Every character on its own; only a blank text is not told."""
    characters = [chr(code) for code in range(0x3100) if not 0xD800 <= code < 0xE000]
    labels, _ = predict(large(characters), tables(), 1)
    assert (labels == BLANK).tolist() == [character.isspace() for character in characters]


@pytest.mark.parametrize(
    "text",
    [
        "\0",  # no token, and not blank
        "__label__en",
        "__label__",
        "__label__ and more",
        "</s>",
        ENGLISH + " </s> " + "Alle Menschen sind frei. " * 9,  # what follows the end of the line is not read
        ENGLISH + " </s>",
        "x" * 100_000,
        "漢" * 100_000,
        "é" * 1999 + "漢" * 9,
        "a" * 63 + " " + "a" * 64 + " " + "a" * 65,
        "\u200b\u200c\u200d\ufeff",
        "<" * 50 + ">" * 50,
    ],
)
@pytest.mark.parametrize("num_characters", [1, 2, 64, 65, 2000, 200_000])
def test_odd_texts_have_the_label_and_score_of_fasttext(text, num_characters):
    check_equal([text, ENGLISH, text], num_characters)


@pytest.mark.parametrize(("slots", "num_bytes", "rows"), [(1, 0, 0), (2, 30, 10), (1 << 14, 0, 1 << 17)])
def test_what_the_memo_forgets_does_not_count(monkeypatch, slots, num_bytes, rows):
    expected = [part.tolist() for part in predict(large(demo_pages()[:200]), tables(), 500)]
    monkeypatch.setattr(kernel, "_MEMO_SLOTS", slots)
    monkeypatch.setattr(kernel, "_MEMO_BYTES", num_bytes)
    monkeypatch.setattr(kernel, "_MEMO_ROWS", rows)
    assert [part.tolist() for part in predict(large(demo_pages()[:200]), tables(), 500)] == expected


def test_a_slice_is_read_like_a_column_of_its_own():
    pages = large(demo_pages()[:20])
    labels, scores = predict(pages, tables(), 300)
    for start, length in ((0, 0), (3, 5), (19, 1)):
        part_labels, part_scores = predict(pages.slice(start, length), tables(), 300)
        assert part_labels.tolist() == labels[start : start + length].tolist()
        assert part_scores.tolist() == scores[start : start + length].tolist()


def test_broken_utf8_is_not_read_past_its_end():
    broken = pa.array([b"ab\xe6", b"\xf0\x9f", b"\x80\x80\xff", b"cd\xc3"], pa.large_binary()).view(pa.large_string())
    labels, scores = predict(broken, tables(), 2000)
    assert all(0 <= label < 176 for label in labels)
    assert all(0 < score <= 1.001 for score in scores)


def altered(**changes: object) -> FasttextModel:
    return FasttextModel(**{**vars(model()), **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"words": [b"the", b"</s>"]}, "starts with b'the'"),
        ({"rows": np.zeros((50_000, 17), np.float32)}, "17 dimensions; the kernel takes at most 16"),
        ({"min_ngram": 1}, "n-grams of 1 to 4 characters"),
        ({"max_ngram": 1}, "n-grams of 2 to 1 characters"),
        ({"row_of_bucket": np.arange(65_536, dtype=np.int32)}, "keeps 65536 buckets"),
    ],
)
def test_a_model_that_the_kernel_has_no_place_for_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        predictor_tables(altered(**changes))


def test_a_model_of_fewer_dimensions_is_padded():
    """With the last dimension at zero, the padded model of 15 dimensions says what the one of 16 does."""
    rows, output = model().rows.copy(), model().output.copy()
    rows[:, 15] = output[:, 15] = 0
    whole = predict(large([ENGLISH]), predictor_tables(altered(rows=rows, output=output)), 2000)
    less = predict(large([ENGLISH]), predictor_tables(altered(rows=rows[:, :15], output=output[:, :15])), 2000)
    assert [part.tolist() for part in less] == [part.tolist() for part in whole]
