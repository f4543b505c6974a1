import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep.annotate import AnnotateConfig
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.kernels.minhash import MinHashConfig

ATTRIBUTES = AnnotateConfig(minhash=MinHashConfig(num_bands=1)).table_schema()

# A document that passes: 100 words of 5 characters on 10 lines.
GOOD = {
    "id": bytes(16),
    "num_bytes": 600,
    "content_hash": bytes(16),
    "language": "en",
    "language_score_e4": 9000,
    "num_characters": 600,
    "num_words": 100,
    "num_word_characters": 500,
    "num_words_with_letter": 95,
    "num_stop_words": 5,
    "num_hashes": 0,
    "num_ellipses": 0,
    "num_lines": 10,
    "num_bullet_lines": 0,
    "num_ellipsis_lines": 0,
    "minhash_bands": [0],
}


def failed(config: GopherQualityConfig | None = None, **changes: object) -> list[tuple[str, float, float]]:
    """Reason, value and threshold of each rule that the document fails."""
    attributes = pa.Table.from_pylist([{**GOOD, **changes}], ATTRIBUTES)
    rules = (config or GopherQualityConfig()).rules(attributes)
    return [(rule.reason, rule.value[0], rule.usual_threshold) for rule in rules if rule.fails[0]]


def test_a_good_document_fails_nothing():
    assert failed() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_words": 49, "num_word_characters": 245, "num_words_with_letter": 49}, ("too_few_words", 49, 50)),
        (
            {"num_words": 100_001, "num_word_characters": 500_005, "num_words_with_letter": 100_001},
            ("too_many_words", 100_001, 100_000),
        ),
        ({"num_word_characters": 299}, ("mean_word_too_short", 2.99, 3)),
        ({"num_word_characters": 1001}, ("mean_word_too_long", 10.01, 10)),
        ({"num_hashes": 11}, ("too_many_hashes", 0.11, 0.1)),
        ({"num_ellipses": 11}, ("too_many_ellipses", 0.11, 0.1)),
        ({"num_bullet_lines": 10}, ("too_many_bullet_lines", 1.0, 0.9)),
        ({"num_ellipsis_lines": 4}, ("too_many_ellipsis_lines", 0.4, 0.3)),
        ({"num_words_with_letter": 79}, ("too_few_words_with_letter", 0.79, 0.8)),
        ({"num_stop_words": 1}, ("too_few_stop_words", 1, 2)),
    ],
)
def test_each_limit_names_its_fault(changes, expected):
    assert failed(**changes) == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"num_words": 50, "num_word_characters": 250, "num_words_with_letter": 50},
        {"num_words": 100_000, "num_word_characters": 300_000, "num_words_with_letter": 80_000},
        {"num_word_characters": 1000},
        {"num_hashes": 10, "num_ellipses": 10},
        {"num_bullet_lines": 9, "num_ellipsis_lines": 3},
        {"num_words_with_letter": 80, "num_stop_words": 2},
    ],
)
def test_the_limit_itself_passes(changes):
    assert failed(**changes) == []


def test_stop_words_are_asked_of_languages_that_have_a_list():
    assert failed(language="zh", num_stop_words=0) == []
    assert failed(language="de", num_stop_words=1) == [("too_few_stop_words", 1, 2)]
    english_only = GopherQualityConfig(stop_word_languages=["en"])
    assert failed(english_only, language="de", num_stop_words=0) == []


def test_word_length_is_asked_of_languages_whose_words_are_known():
    assert failed(language="zh", num_word_characters=100) == []
    chinese_too = GopherQualityConfig(mean_word_length_languages=("en", "zh"))
    assert failed(chinese_too, language="zh", num_word_characters=100) == [("mean_word_too_short", 1.0, 3)]
    english_only = GopherQualityConfig(mean_word_length_languages=("en",))
    assert failed(english_only, language="de", num_word_characters=100) == []


def test_limits_of_word_length_are_those_of_the_language():
    # German words are 1.235 times as long as English ones: 3.7 to 12.3 (`stop_words`), what the row is held against.
    assert failed(language="de", num_word_characters=369) == [("mean_word_too_short", 3.69, 3.7)]
    assert failed(language="de", num_word_characters=370) == []
    assert failed(language="de", num_word_characters=1230) == []
    assert failed(language="de", num_word_characters=1231) == [("mean_word_too_long", 12.31, 12.3)]
    wider = GopherQualityConfig(max_mean_word_characters=20.0)
    assert failed(wider, language="de", num_word_characters=2460) == []  # 20 x 12.3 / 10
    same_for_all = GopherQualityConfig(mean_word_length_by_language=False)
    assert failed(same_for_all, language="de", num_word_characters=369) == []


def test_limits_that_leave_nothing_are_refused():
    with pytest.raises(ValidationError, match="min_words 10 is above max_words 5"):
        GopherQualityConfig(min_words=10, max_words=5)
    with pytest.raises(ValidationError, match="min_mean_word_characters 11"):
        GopherQualityConfig(min_mean_word_characters=11)
    with pytest.raises(ValidationError):
        GopherQualityConfig(stop_word_languages=["english"])
    with pytest.raises(ValidationError):
        GopherQualityConfig(min_words="50")
