import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.kernels.place_tables import find_ngrams, ngram_hashes, place_table
from dataprep.kernels.words import find_words


def hashed(*texts: str):
    return find_words(pa.array(texts, pa.large_string()))


def table_of(text: str, length: int, max_places: int | None = None):
    """The places of every n-gram of one text."""
    words = hashed(text)
    places = np.arange(max(len(words.hashes) - length + 1, 0))
    return place_table(ngram_hashes(words.offsets, words.hashes, length)[places], places, max_places)


def found(table, length: int, *texts: str):
    """Document, position and places of what the table knows."""
    words = hashed(*texts)
    rows = zip(*(values.tolist() for values in find_ngrams(words.offsets, words.hashes, length, table)), strict=True)
    places = table.places.tolist()
    return [(row, at, places[table.offsets[key] : table.offsets[key + 1]]) for row, at, key in rows]


def test_an_ngram_leads_to_all_its_places():
    table = table_of("a b a b c", 2)
    assert found(table, 2, "x A, b", "b c", "c b") == [(0, 1, [0, 2]), (1, 0, [3])]


def test_ngrams_end_with_their_document():
    assert found(table_of("a b", 2), 2, "a", "b") == []


def test_what_has_too_many_places_is_left_out():
    table = table_of("a b a b c", 2, max_places=1)
    assert found(table, 2, "a b a b c") == [(0, 1, [1]), (0, 3, [3])]


def test_an_empty_table_knows_nothing():
    assert found(table_of("", 3), 3, "a b c d") == []


def test_where_there_is_no_room_at_first_all_is_found():
    text = " ".join("a" * 500)
    assert len(found(table_of("a a", 2), 2, text)) == 499


@pytest.mark.parametrize("length", [1, 2, 3])
@settings(deadline=None)
@given(source=st.text("ab ", max_size=30), texts=st.lists(st.text("abc ", max_size=30), max_size=3))
def test_it_finds_what_tuples_of_words_find(length, source, texts):
    own = source.split()
    ngrams = [tuple(own[i : i + length]) for i in range(len(own) - length + 1)]
    expected = []
    for row, text in enumerate(texts):
        words = text.split()
        for at in range(len(words) - length + 1):
            places = [i for i, ngram in enumerate(ngrams) if ngram == tuple(words[at : at + length])]
            expected += [(row, at, places)] if places else []
    assert found(table_of(source, length), length, *texts) == expected
