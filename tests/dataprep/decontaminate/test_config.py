import pytest
from pydantic import ValidationError

from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig

SETS = {"exam": EvaluationSetConfig(path="exam.txt")}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"ngram_words": 7}, "min_words 8 is more than ngram_words 7: take 7 or less"),
        ({"max_changed_words": 6}, "max_changed_words 6 of ngram_words 13 .* take 5 or less"),
        ({"ngram_words": 5, "min_words": 5}, "max_changed_words 2 of ngram_words 5 .* take 1 or less"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(config, says):
    with pytest.raises(ValidationError, match=says):
        DecontaminateConfig(sets=SETS, **config)


def test_the_defaults_are_those_of_the_paper():
    config = DecontaminateConfig(sets=SETS)
    assert (config.ngram_words, config.min_words, config.max_documents) == (13, 8, 10)


def test_a_step_without_sets_is_none():
    with pytest.raises(ValidationError):
        DecontaminateConfig(sets={})
