import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataprep.decontaminate import index as index_module
from dataprep.decontaminate.index import EvaluationIndex

LETTERS = "a b c d e f g h i j k l m n o p"  # 16 words


def test_an_ngram_is_found_wherever_it_stands(sets):
    exam = sets([LETTERS], ngram_words=13, max_changed_words=0)
    assert exam.found(f"x {LETTERS} x", "b c d e f g h i j k l m n") == [
        (0, 1, 0, 0, 0),
        (0, 2, 0, 1, 0),
        (0, 3, 0, 2, 0),
        (0, 4, 0, 3, 0),
        (1, 0, 0, 1, 0),
    ]


def test_case_and_punctuation_are_no_difference(sets):
    exam = sets(["Janet's ducks lay 16 eggs."], ngram_words=6, min_words=2, max_changed_words=0)
    assert exam.found("(JANET’S)\n DUCKS -- lay: 16 eggs") == [(0, 0, 0, 0, 0)]


def test_twelve_words_of_thirteen_in_a_row_are_not_enough(sets):
    exam = sets([LETTERS], max_changed_words=0)
    assert exam.found("a b c d e f g h i j k l", "a b c d e f g h i j k l x") == []


def test_words_may_be_others_at_as_many_places_as_is_said(sets):
    exam = sets(["a b c d e f g h i j k l m"])
    one, two, three = "a b X d e f g h i j k l m", "X b c d e f g h i j k l X", "a X c d e X g h i j X l m"
    assert exam.found(one, two, three) == [(0, 0, 0, 0, 1), (1, 0, 0, 0, 2)]


def test_a_word_more_or_less_shifts_the_rest(sets):
    exam = sets([LETTERS])
    # Before the word that is missing stand six of the item, behind it nine.
    assert exam.found("a b c d e f h i j k l m n o p") == []


def test_a_shorter_text_is_looked_for_as_a_whole_and_word_for_word(sets):
    exam = sets(["a b c d e f g h i", "a b c d e f g h", "a b c d e f g"])
    assert exam.texts["num_ngrams"].to_pylist() == [1, 1, 0]
    assert exam.found("x a b c d e f g h i", "a b c d e f g h x", "a b c d e f g X i") == [
        (0, 1, 0, 0, 0),
        (0, 1, 1, 0, 0),
        (1, 0, 1, 0, 0),
    ]


def test_an_ngram_that_says_little_gives_nothing_away(sets):
    counting = " ".join(map(str, range(1, 14)))
    names = "one 1 two 2 three 3 four 4 five 5 six 6 seven"  # 7 of 13 words are different ones with a letter
    exam = sets([counting, "na " * 13, names, f"{names} eight", "a b c d 1 2 3 4 5"])
    # The second n-gram of `names eight` has 7 as well; 0.6 x 13 = 7.8 and 0.6 x 9 = 5.4.
    assert exam.texts["num_ngrams"].to_pylist() == [0, 0, 0, 0, 0]
    assert exam.found(counting, "na " * 13, names) == []
    assert sets([names], min_different_share=0.5).found(names) == [(0, 0, 0, 0, 0)]


def test_texts_without_words_may_stand_anywhere(sets):
    exam = sets(["", LETTERS, "...", LETTERS.upper(), ""])
    assert exam.texts["num_ngrams"].to_pylist() == [0, 4, 0, 4, 0]
    assert exam.found("", "a b c d e f g h i j k l m", "!") == [(1, 0, 1, 0, 0), (1, 0, 3, 0, 0)]


def test_sets_without_a_word_find_nothing(sets):
    assert sets(["", "!"]).found("a b c", "") == []


def test_the_words_before_a_text_s_first_are_no_part_of_it(sets):
    exam = sets(["a b c d e f g h i j k l m", LETTERS.upper()])
    # The end of one item and the beginning of the next, as they stand in memory.
    assert exam.found("k l m a b c d e f g h i j") == []


def test_equal_ngrams_have_one_number_and_each_its_place(sets):
    exam = sets([LETTERS, f"x {LETTERS}", "q r s t u v w x", "q r s t u v w x"])
    assert (exam.index.num_long, exam.index.num_ngrams) == (5, 6)
    assert exam.found("a b c d e f g h i j k l m", "q r s t u v w x") == [
        (0, 0, 0, 0, 0),
        (0, 0, 1, 1, 0),
        (1, 0, 2, 0, 0),
        (1, 0, 3, 0, 0),
    ]


def test_an_ngram_of_many_items_is_laid_to_the_first_ones(sets, monkeypatch):
    monkeypatch.setattr("dataprep.decontaminate.scan.MAX_ATTRIBUTED", 2)
    exam = sets([LETTERS] * 3, max_changed_words=0)
    assert exam.found("a b c d e f g h i j k l m") == [(0, 0, 0, 0, 0), (0, 0, 1, 0, 0)]


def test_a_run_that_stands_everywhere_is_not_gone_after(sets, monkeypatch):
    monkeypatch.setattr(index_module, "MAX_PLACES", 1)
    changed = "a b c d X f g h i j k l m"
    assert sets(["a b c d e f g h i j k l m"]).found(changed) == [(0, 0, 0, 0, 1)]
    assert sets(["a b c d e f g h i j k l m"] * 2).found(changed) == []


def test_a_hash_that_is_wrong_is_refused(sets):
    exam = sets([LETTERS], max_changed_words=0)
    other = sets([LETTERS.replace("c", "z")], max_changed_words=0)
    wrong = EvaluationIndex.of_arrays(exam.index.arrays() | {"data": other.index.data})
    exam.index = wrong  # its tables say `a b c`, its letters `a b z`
    scanned = exam.scan(LETTERS)
    # Four n-grams by their hashes; that of `d` to `p` has no `c`.
    assert (scanned.hits["position"].to_pylist(), scanned.num_refused) == ([3], 3)


def test_an_index_is_the_same_after_it_was_written(sets, tmp_path):
    exam = sets([LETTERS, "q r s t u v w x"])
    for name, array in exam.index.arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    read = {path.stem: np.load(path, mmap_mode="r") for path in tmp_path.iterdir()}
    before = exam.found(LETTERS, "q r s t u v w x")
    exam.index = EvaluationIndex.of_arrays(read)
    assert exam.found(LETTERS, "q r s t u v w x") == before != []


def plain(items: list[str], documents: list[str], n: int, k: int, least: int) -> set[tuple[int, int, int, int, int]]:
    """What is found, by comparing every stretch of every document with every stretch of every item."""
    found = set()
    for item, text in enumerate(items):
        words = text.lower().split()
        size = n if len(words) >= n else len(words)
        allowed = k if size == n else 0
        if size < least:
            continue
        for number, document in enumerate(documents):
            others = document.lower().split()
            for at in range(len(others) - size + 1):
                for first in range(len(words) - size + 1):
                    changed = sum(a != b for a, b in zip(words[first : first + size], others[at:], strict=False))
                    if changed <= allowed:
                        found.add((number, at, item, first, changed))
    return found


texts = st.lists(st.sampled_from("abABc"), max_size=14).map(" ".join)


@pytest.mark.parametrize(("n", "k", "least"), [(4, 1, 2), (5, 1, 3), (6, 2, 4), (3, 0, 2), (2, 0, 2)])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(texts, max_size=3), documents=st.lists(texts, max_size=3))
def test_it_finds_what_a_plain_reading_finds(sets, n, k, least, items, documents):
    exam = sets([*items, "z"], ngram_words=n, max_changed_words=k, min_words=least, min_different_share=0.0)
    assert set(exam.found(*documents)) == plain(items, documents, n, k, least)
    assert len(exam.found(*documents)) == len(set(exam.found(*documents)))
