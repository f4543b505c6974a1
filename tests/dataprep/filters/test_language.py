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
    assert rule.threshold == 0.65
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
