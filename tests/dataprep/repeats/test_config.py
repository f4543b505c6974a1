import pytest
from pydantic import ValidationError

from dataprep.repeats.config import LINE, PARAGRAPH, SUBSTRING, RecurringTextConfig, RepeatsConfig, SubstringsConfig


def test_a_section_that_names_no_kind_is_refused_with_what_to_write():
    with pytest.raises(ValidationError, match=r"name one of lines, paragraphs, substrings \(`substrings: \{\}`"):
        RepeatsConfig()


def test_something_goes_from_one_place_or_document_more_on_than_may_have_it():
    config = RepeatsConfig(
        lines=RecurringTextConfig(max_documents=6), paragraphs=RecurringTextConfig(), substrings=SubstringsConfig()
    )
    assert [config.least(kind) for kind in (LINE, PARAGRAPH, SUBSTRING)] == [7, 2, 2]


@pytest.mark.parametrize(("min_words", "ngram_words"), [(2, 1), (3, 2), (50, 25), (51, 26)])
def test_ngrams_have_half_the_words_of_a_window_rounded_up(min_words, ngram_words):
    assert SubstringsConfig(min_words=min_words).ngram_words == ngram_words
