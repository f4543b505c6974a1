import pyarrow as pa
import pytest

from dataprep.errors import DataError
from dataprep.filters.offensive_words import OffensiveWordsFilterConfig
from dataprep.measures.batch import Batch
from dataprep.measures.offensive_words import SHIPPED, OffensiveWordsConfig, OffensiveWordsMeasure, shipped_lists
from dataprep.schemas import ID

LISTS = {"e": b"darn\nsilly goose\n# heck\nsilly goose chase\n", "z": "坏蛋\n".encode()}
CONFIG = OffensiveWordsConfig(lists={"en": ("e",), "zh": ("z",)}, shipped_lists=False)


class Given(Batch):
    """A batch whose languages are given and not told from the text."""

    languages = property(lambda self: pa.array(self.given, pa.string()))


def count(*texts: tuple[str, str], config=CONFIG, contents=LISTS) -> list[int]:
    """Offensive words of each (language, text)."""
    batch = Given(pa.array([bytes(16)] * len(texts), ID), pa.array([text for _, text in texts], pa.large_string()))
    object.__setattr__(batch, "given", [language for language, _ in texts])
    [column] = OffensiveWordsMeasure(config, contents).columns(batch)
    return column.to_pylist()


def test_words_and_phrases_count_as_often_as_they_occur():
    assert count(("en", "Darn! DARN it, you silly-goose."), ("en", "silly, a goose; darned heck"), ("en", "")) == [
        3,
        0,
        0,
    ]


def test_of_two_entries_at_one_word_the_longer_counts():
    assert count(("en", "a silly goose chase and a silly goose"), ("en", "silly silly goose")) == [2, 1]


def test_in_scripts_without_spaces_an_entry_is_a_row_of_letters():
    assert count(("zh", "你是坏蛋吗坏蛋"), ("zh", "坏人蛋")) == [2, 0]


def test_the_list_is_that_of_the_documents_language():
    assert count(("de", "darn"), ("und", "darn"), ("zh", "darn"), ("en", "坏蛋")) == [0, 0, 0, 0]


@pytest.mark.parametrize(("line", "words"), [("--", 0), ("one two three four five", 5)])
def test_an_entry_has_one_to_four_words(line, words):
    with pytest.raises(DataError, match=f"e, line 2: '{line}' has {words} words, expected 1 to 4"):
        count(("en", "x"), contents=LISTS | {"e": f"darn\n{line}\n".encode()})


def test_the_shipped_lists_count():
    assert set(shipped_lists()) == {"de", "en", "es", "fr", "it", "nl", "pt", "ru"}
    assert all("Apache-2.0" in path.read_text() for path in SHIPPED.glob("*.txt"))
    texts = [(language, data.decode().splitlines()[-1]) for language, data in shipped_lists().items()]
    assert count(*texts, config=OffensiveWordsConfig(), contents={}) == [1] * 8
    decent = "A decent page about Scunthorpe, sex education and breast cancer."
    assert count(("en", decent), config=OffensiveWordsConfig(), contents={}) == [0]


def test_the_filter_holds_number_and_rate_against_limits():
    attributes = pa.table({"num_offensive_words": [0, 1, 3], "num_words": [0, 100, 100]})

    def reasons(**limits):
        rules = list(OffensiveWordsFilterConfig(**limits).rules(attributes))
        return [[rule.reason for rule in rules if rule.fails[row]] for row in range(3)]

    rate = "too_many_offensive_words_per_word"
    assert reasons() == [[], [], [rate]]  # 10 in 1000 may be, 30 may not
    assert reasons(max_words=0, max_per_1000_words=None) == [[]] + [["too_many_offensive_words"]] * 2
