import pyarrow as pa

from dataprep import schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.language import LanguageConfig
from dataprep.select import SelectConfig, select

ENGLISH = "All human beings are born free and equal in the dignity of rights."  # 13 words, 3 stop words
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren."


def attributes_of(*texts: str) -> pa.Table:
    rows = [
        {"id": i.to_bytes(16, "big"), "url": "", "offset": 0, "num_payload_bytes": 0, "text": text}
        for i, text in enumerate(texts)
    ]
    documents = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
    return annotate(documents, clean(documents, CleanConfig()), AnnotateConfig())


def verdicts(attributes: pa.Table, config: SelectConfig) -> list[tuple[str | None, float | None, float | None]]:
    table = select(attributes, config)
    assert table.schema == schemas.VERDICTS
    assert table["id"].to_pylist() == attributes["id"].to_pylist()
    assert table["num_bytes"].to_pylist() == attributes["num_bytes"].to_pylist()
    assert table["duplicate_of"].null_count == table.num_rows
    return [(row["reason"], row["value"], row["threshold"]) for row in table.to_pylist()]


def test_without_filters_only_documents_without_words_go():
    assert verdicts(attributes_of("word", "", "...\n"), SelectConfig()) == [
        (None, None, None),
        ("empty", 0.0, 1.0),
        ("empty", 0.0, 1.0),
    ]


def test_the_first_rule_that_fails_gives_the_reason():
    attributes = attributes_of(ENGLISH * 5, ENGLISH, GERMAN)
    config = SelectConfig(language=LanguageConfig(keep=("en",)), gopher_quality=GopherQualityConfig())
    kept, too_short, german = verdicts(attributes, config)
    assert kept == (None, None, None)
    assert too_short == ("too_few_words", 13.0, 50.0)
    # The German text has too few words, too, but languages come first; no number was compared.
    assert german == ("language_not_kept", attributes["language_score_e4"][2].as_py() / 1e4, None)


def test_a_threshold_moves_the_verdict_and_nothing_else():
    attributes = attributes_of(ENGLISH)
    lenient = SelectConfig(gopher_quality=GopherQualityConfig(min_words=13))
    strict = SelectConfig(gopher_quality=GopherQualityConfig(min_words=14))
    assert verdicts(attributes, lenient) == [(None, None, None)]
    assert verdicts(attributes, strict) == [("too_few_words", 13.0, 14.0)]


def test_a_run_file_may_write_lists_and_whole_numbers():
    config = SelectConfig.model_validate(
        {"language": {"keep": ["en", "de"]}, "gopher_quality": {"max_mean_word_characters": 12}}
    )
    assert config.language == LanguageConfig(keep=("en", "de"))
    assert config.gopher_quality == GopherQualityConfig(max_mean_word_characters=12.0)


def test_a_limit_that_depends_on_the_language_is_told_as_it_was():
    attributes = attributes_of("a b " * 60, "der die das und in zu den ist mit " * 10)
    lines = attributes.set_column(3, "language", pa.array(["en", "de"]))
    found = verdicts(lines, SelectConfig(gopher_quality=GopherQualityConfig()))
    assert found == [("mean_word_too_short", 1.0, 3.0), ("mean_word_too_short", 25 / 9, 3.7)]


def test_no_documents_get_no_verdicts():
    assert verdicts(attributes_of(), SelectConfig(gopher_quality=GopherQualityConfig())) == []


def test_the_verdict_has_the_threshold_of_its_row():
    attributes = attributes_of(ENGLISH, GERMAN)
    english, german = (score / 1e4 for score in attributes["language_score_e4"].to_pylist())
    config = SelectConfig(language=LanguageConfig(min_score=1.0, min_scores={"de": 0.999}))
    assert verdicts(attributes, config) == [
        ("language_score_too_low", english, 1.0),
        ("language_score_too_low", german, 0.999),
    ]
