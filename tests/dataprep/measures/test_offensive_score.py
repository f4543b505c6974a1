import pyarrow as pa
import pytest

from dataprep.annotate import AnnotateConfig
from dataprep.errors import DataError
from dataprep.filters.offensive_score import OffensiveScoreFilterConfig
from dataprep.measures import offensive_score
from dataprep.measures.batch import Batch
from dataprep.measures.offensive_score import OffensiveScoreMeasure
from dataprep.schemas import ID

CLASSIFIER = "alt-profanity-check==1.9.1"
PLAIN = "The weather is nice, and the people in the town are on their way to the market. "
RUDE = "You are a fucking idiot and I hope that all of you assholes go to hell. "
GERMAN = "Das Wetter ist schön, und die Menschen der Stadt sind auf dem Weg zum fucking Markt. "


def scores(*texts: str) -> list[int]:
    batch = Batch(pa.array([bytes(16)] * len(texts), ID), pa.array([text * 4 for text in texts], pa.large_string()))
    [column] = OffensiveScoreMeasure(CLASSIFIER).columns(batch)
    assert column.type == pa.int16()
    return column.to_pylist()


def test_abuse_scores_high_and_plain_text_low_and_other_languages_nothing():
    plain, rude, german, empty = scores(PLAIN, RUDE, GERMAN, "")
    assert plain < 2000
    assert rude > 9000
    assert (german, empty) == (0, 0)


def test_another_release_is_refused(monkeypatch):
    monkeypatch.setattr(offensive_score, "version", lambda package: "1.8.0")
    with pytest.raises(DataError, match=r"wants alt-profanity-check==1.9.1, but 1.8.0 is installed: pip install"):
        scores(PLAIN)


def test_it_is_measured_only_where_it_is_asked_for():
    assert "offensive_score_e4" not in AnnotateConfig().table_schema().names
    assert "offensive_score_e4" in AnnotateConfig(offensive_classifier=CLASSIFIER).table_schema().names


def test_the_filter_holds_it_against_a_limit():
    attributes = pa.table({"offensive_score_e4": pa.array([9000, 9001], pa.int16())})
    [rule] = OffensiveScoreFilterConfig().rules(attributes)
    assert (rule.reason, rule.fails.tolist()) == ("offensive_score_too_high", [False, True])
