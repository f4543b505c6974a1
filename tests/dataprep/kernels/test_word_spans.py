import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.word_spans import same_word, word_spans
from dataprep.kernels.words import find_words

text_of_any_script = st.text(st.sampled_from("aB é東京のスー กา๒x1.,-' \n\u0301İß"), max_size=40)


def words(*texts: str) -> list[list[str]]:
    spans = word_spans(pa.array(texts, pa.large_string()))
    read = [bytes(spans.data[a:b]).decode() for a, b in zip(spans.starts, spans.ends, strict=True)]
    return [read[a:b] for a, b in zip(spans.offsets[:-1], spans.offsets[1:], strict=True)]


def test_the_places_are_those_of_the_words():
    assert words("Don't, go!", "", "x東京2020 é") == [["Don", "t", "go"], [], ["x", "東", "京", "2020", "é"]]


def test_places_count_from_the_buffer_and_texts_may_be_a_slice():
    text = pa.array(["skipped", "a b", "c"], pa.large_string()).slice(1)
    spans = word_spans(text)
    assert spans.text_starts.tolist() == [7, 10]
    assert spans.starts.tolist() == [7, 9, 10]
    assert spans.ends.tolist() == [8, 10, 11]


@settings(deadline=None)
@given(st.lists(text_of_any_script, max_size=4))
def test_they_are_the_words_that_are_hashed(texts):
    column = pa.array(texts, pa.large_string())
    hashed = find_words(column)
    spans = word_spans(column)
    assert np.array_equal(spans.offsets, hashed.offsets)
    again = find_words(pa.array([word for row in words(*texts) for word in row], pa.large_string()))
    assert np.array_equal(again.hashes, hashed.hashes)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [("Straße", "STRAßE", True), ("a", "ab", False), ("ab", "a", False), ("é", "É", True), ("ab", "ac", False)],
)
def test_words_are_the_same_in_lower_case_and_letter_by_letter(a, b, same):
    data = [np.frombuffer(f" {word} ".encode(), np.uint8) for word in (a, b)]
    ends = [len(word.encode()) + 1 for word in (a, b)]
    assert same_word(data[0], 1, ends[0], data[1], 1, ends[1], unicode_classes().lower) == same
