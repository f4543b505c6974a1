import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.filters import papers
from dataprep.kernels.repetition import DUPLICATE_SIZES, TOP_SIZES, repetition
from dataprep.kernels.words import find_words


def repeated(*texts: str) -> list[tuple[list[int], list[int]]]:
    """Per text: characters in the top 2-, 3- and 4-gram; in duplicate 5- to 10-grams."""
    found = repetition(find_words(pa.array(texts, pa.large_string())))
    return list(zip(found.top.T.tolist(), found.duplicate.T.tolist(), strict=True))


def test_nothing_repeats_in_a_text_of_different_words():
    assert repeated("one two three four five six", "", "one") == [([0, 0, 0], [0] * 6)] * 3


def test_the_top_ngram_counts_with_all_its_occurrences():
    # "aa b" three times: 3 x 3 characters; "aa b c" twice: 2 x 4. Case does not count, and no more do full stops.
    ((top, duplicate),) = repeated("aa b c. Aa B c! aa b")
    assert top == [9, 8, 0]
    # "aa b c aa b" begins at word 0 and again at word 3: the last five words, 2 + 1 + 1 + 2 + 1 characters.
    assert duplicate == [7, 0, 0, 0, 0, 0]


def test_occurrences_of_the_top_ngram_do_not_overlap():
    # Five times "a": "a a" fits in twice, "a a a" once, which is not more than once.
    ((top, _),) = repeated("a a a a a")
    assert top == [4, 0, 0]


def test_of_ngrams_that_are_as_frequent_the_longest_counts():
    ((top, _),) = repeated("a b x a b y long word z long word")
    assert top == [16, 0, 0]


def test_a_word_in_several_duplicate_ngrams_counts_once():
    # Words 7 to 12 repeat words 0 to 5: two 5-grams and one 6-gram that occurred before, 6 words of 2 characters.
    ((_, duplicate),) = repeated("aa bb cc dd ee ff stop aa bb cc dd ee ff")
    assert duplicate == [12, 12, 0, 0, 0, 0]


def test_the_first_occurrence_is_no_duplicate_and_later_ones_may_overlap_it():
    # 12 times "a": the 5-gram at each word from the second on occurred before, so 11 words are inside one; a 10-gram
    # begins at words 0, 1 and 2, the last two of which occurred before: words 1 to 11.
    ((_, duplicate),) = repeated(" ".join("a" * 12))
    assert duplicate == [11, 11, 11, 11, 11, 11]


def test_ngrams_do_not_cross_documents():
    text = "one two three four five six seven eight nine ten"
    assert repeated(text, text) == [([0, 0, 0], [0] * 6)] * 2


FEW_WORDS = st.lists(st.sampled_from(["a", "bb", "Bb", "ccc", "東", "."]), max_size=60).map(" ".join)
PERIODIC = st.builds(
    lambda head, period, times: " ".join(head + period * times),
    st.lists(st.sampled_from("abcdefgh"), max_size=12),
    st.lists(st.sampled_from("abcdefgh"), max_size=12),
    st.integers(0, 6),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(FEW_WORDS | PERIODIC, max_size=4), st.integers(0, 3))
def test_what_repeats_is_what_the_slow_reading_finds_also_in_a_slice(texts, start):
    sliced = pa.array(texts, pa.large_string()).slice(min(start, len(texts)))
    found = repetition(find_words(sliced))
    for row, text in enumerate(sliced.to_pylist()):
        expected = papers.statistics(text)
        assert found.top[:, row].tolist() == [expected[f"num_top_{n}_gram_characters"] for n in TOP_SIZES]
        duplicate = [expected[f"num_duplicate_{n}_gram_characters"] for n in DUPLICATE_SIZES]
        assert found.duplicate[:, row].tolist() == duplicate
