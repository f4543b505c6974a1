import pyarrow as pa

from dataprep.kernels.word_statistics import word_statistics
from dataprep.kernels.words import find_words


def test_counts_of_two_documents():
    text = pa.array(["The cat and the 3 dogs, that HAVE x2", "", "42"], pa.large_string())
    statistics = word_statistics(find_words(text))
    assert statistics.num_words.tolist() == [9, 0, 1]
    # the3 cat3 and3 the3 3:1 dogs4 that4 have4 x2:2 = 27
    assert statistics.num_word_characters.tolist() == [27, 0, 2]
    assert statistics.num_words_with_letter.tolist() == [8, 0, 0]
    assert statistics.num_stop_words.tolist() == [4, 0, 0]  # the, and, that, have: "the" counts once


def test_all_eight_stop_words_are_known():
    text = pa.array(["the be to of and that have with"], pa.large_string())
    assert word_statistics(find_words(text)).num_stop_words.tolist() == [8]
