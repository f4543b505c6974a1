import pyarrow as pa

from dataprep.kernels.shingles import find_shingles
from dataprep.kernels.words import find_words


def shingles(*texts: str, n: int):
    found = find_shingles(find_words(pa.array(texts, pa.large_string())), n)
    return [found.hashes[a:b].tolist() for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def test_there_is_one_shingle_for_every_start():
    assert [len(row) for row in shingles("a b c d e", "a b c", "a b", "a", "", n=3)] == [3, 1, 1, 1, 0]


def test_the_rolled_hash_is_the_hash_of_the_words_alone():
    rolled, first, second, third = shingles("a b c d e", "a b c", "b c d", "c d e", n=3)
    assert rolled == first + second + third


def test_order_and_length_of_a_shingle_count():
    hashes = [row[0] for row in shingles("a b c", "c b a", "a b", "b a", "a", n=3)]
    assert len(set(hashes)) == 5


def test_a_single_word_may_be_a_shingle():
    (row,) = shingles("a b a", n=1)
    assert row[0] == row[2] != row[1]
