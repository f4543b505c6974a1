import math

import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep.filters.language import LanguageConfig

ATTRIBUTES = pa.table(
    {
        "language": ["en", "en", "de", "und"],
        "language_score_e4": pa.array([6500, 6499, 9900, 0], pa.int16()),
    }
)


def test_without_a_list_every_language_is_kept():
    (rule,) = LanguageConfig().rules(ATTRIBUTES)
    assert rule.reason == "language_score_too_low"
    assert rule.value.tolist() == [0.65, 0.6499, 0.99, 0.0]
    assert rule.threshold.tolist() == [0.65] * 4
    assert rule.fails.tolist() == [False, True, False, True]


def test_a_language_that_is_not_listed_is_named_first():
    not_kept, too_low = LanguageConfig(keep=["en"], min_score=0).rules(ATTRIBUTES)
    assert not_kept.reason == "language_not_kept"
    assert not_kept.fails.tolist() == [False, False, True, True]
    assert math.isnan(not_kept.threshold)
    assert too_low.fails.tolist() == [False, False, False, False]


@pytest.mark.parametrize("keep", [[], ["English"], ["EN"], [1]])
def test_languages_are_iso_codes(keep):
    with pytest.raises(ValidationError):
        LanguageConfig(keep=keep)


def test_a_language_may_have_a_threshold_of_its_own():
    (rule,) = LanguageConfig(min_scores={"de": 0.995, "und": 0}).rules(ATTRIBUTES)
    assert rule.threshold.tolist() == [0.65, 0.65, 0.995, 0.0]
    assert rule.fails.tolist() == [False, True, True, False]


@pytest.mark.parametrize("min_scores", [{"German": 0.5}, {"DE": 0.5}, {"de": 1.5}, {"de": -0.1}, {"de": "0.5"}])
def test_thresholds_are_probabilities_by_iso_code(min_scores):
    with pytest.raises(ValidationError):
        LanguageConfig(min_scores=min_scores)


def test_a_threshold_for_a_language_that_is_not_kept_is_refused():
    with pytest.raises(ValidationError, match="min_scores has de, which keep leaves out"):
        LanguageConfig(keep=["en"], min_scores={"de": 0.5, "en": 0.7})


def test_the_usual_threshold_is_that_of_most_rows():
    (rule,) = LanguageConfig(min_scores={"en": 0.3}).rules(ATTRIBUTES)
    assert rule.threshold.tolist() == [0.3, 0.3, 0.65, 0.65]
    assert rule.usual_threshold == 0.3  # two of each: the lower
    (rule,) = LanguageConfig().rules(ATTRIBUTES)
    assert rule.usual_threshold == 0.65
    (rule,) = LanguageConfig(min_scores={"en": 0.3}).rules(ATTRIBUTES[1:3])
    assert rule.threshold.tolist() == [0.3, 0.65]
    assert math.isnan(rule.usual_threshold)  # each its own: none is usual
    (rule,) = LanguageConfig(min_scores={"en": 0.3}).rules(ATTRIBUTES[:1])
    assert rule.usual_threshold == 0.3
    (rule,) = LanguageConfig().rules(ATTRIBUTES[:0])
    assert math.isnan(rule.usual_threshold)
