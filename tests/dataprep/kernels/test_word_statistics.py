import numpy as np
import pyarrow as pa

from dataprep.kernels.word_statistics import WordStatistics, word_statistics
from dataprep.kernels.words import find_words

ENGLISH = ("the", "be", "to", "of", "and", "that", "have", "with")
LISTS = (ENGLISH, ("à", "и", "der"))


def statistics(*texts: str, chosen: list[int] | None = None) -> WordStatistics:
    words = find_words(pa.array(texts, pa.large_string()))
    return word_statistics(words, LISTS, np.array(chosen or [0] * len(texts), np.int64))


def test_counts_of_three_documents():
    found = statistics("The cat and the 3 dogs, that HAVE x2", "", "42")
    assert found.num_words.tolist() == [9, 0, 1]
    # the3 cat3 and3 the3 3:1 dogs4 that4 have4 x2:2 = 27
    assert found.num_word_characters.tolist() == [27, 0, 2]
    assert found.num_words_with_letter.tolist() == [8, 0, 0]
    assert found.num_stop_words.tolist() == [4, 0, 0]  # the, and, that, have: "the" counts once


def test_all_stop_words_of_a_list_are_known():
    assert statistics("the be to of and that have with").num_stop_words.tolist() == [8]


def test_a_document_has_the_stop_words_of_its_own_list():
    text = "the И der À be"
    assert statistics(text, text, text, chosen=[0, 1, -1]).num_stop_words.tolist() == [2, 3, 0]


def test_lorem_counts_before_ipsum_only():
    texts = ("Lorem ipsum, lorem\nIPSUM", "ipsum lorem", "lorem dolor ipsum", "lorem")
    assert statistics(*texts, "ipsum").num_lorem_ipsum.tolist() == [2, 0, 0, 0, 0]
