import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from dataprep.filters.stop_words import languages_with_stop_words, mean_word_limits_of, stop_words_of
from dataprep.kernels.words import find_words
from dataprep.language import known_languages

CORPORA = [folder / "shared" / "corpora" for folder in Path(__file__).resolve().parents]
UDHR = next((path for path in (folder / "text" / "udhr.jsonl.gz" for folder in CORPORA) if path.exists()), None)
DECLARATIONS = {
    "en": "eng",
    "de": "deu_1996",
    "fr": "fra",
    "es": "spa",
    "it": "ita",
    "pt": "por_PT",
    "nl": "nld",
    "pl": "pol",
    "ru": "rus",
    "sv": "swe",
    "da": "dan",
    "no": "nob",
    "fi": "fin",
    "cs": "ces",
    "tr": "tur",
    "el": "ell_monotonic",
    "hu": "hun",
    "ro": "ron_2006",
    "uk": "ukr",
    "ar": "arb",
    "he": "heb",
    "fa": "pes_1",
    "hi": "hin",
    "bg": "bul",
    "ca": "cat",
}
LANGUAGES = languages_with_stop_words()


def declarations() -> dict[str, str]:
    with gzip.open(UDHR, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = {row["id"]: row["text"] for row in rows}
    return {language: texts[name] for language, name in DECLARATIONS.items()}


def words_of(*texts: str):
    return find_words(pa.array(texts, pa.large_string()))


def test_english_has_the_eight_of_gopher_and_its_limits():
    assert LANGUAGES[0] == "en"
    assert stop_words_of("en") == ("the", "be", "to", "of", "and", "that", "have", "with")
    assert mean_word_limits_of("en") == (3.0, 10.0)


def test_a_language_with_longer_words_has_wider_limits():
    assert mean_word_limits_of("de") == (3.7, 12.3)  # 6.15 / 4.98 = 1.235
    assert mean_word_limits_of("fa") == (2.3, 7.7)  # 3.81 / 4.98 = 0.765


def test_languages_without_spaces_have_none():
    for language in ("zh", "ja", "th", "und"):
        assert stop_words_of(language) == ()
        assert mean_word_limits_of(language) is None


def test_every_language_is_one_that_the_model_tells():
    assert len(LANGUAGES) == 25
    assert set(LANGUAGES) <= known_languages()
    assert set(LANGUAGES) == set(DECLARATIONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_stop_words_are_single_words_in_lower_case_without_repetition(language):
    stop_words = stop_words_of(language)
    assert 8 <= len(stop_words) <= 12
    found = words_of(*stop_words)
    assert found.offsets.tolist() == list(range(len(stop_words) + 1))
    assert len(set(found.hashes.tolist())) == len(stop_words)
    assert all(word == word.lower() for word in stop_words)


@pytest.mark.skipif(UDHR is None, reason="no shared/corpora/text/udhr.jsonl.gz above this checkout")
def test_each_declaration_has_the_stop_words_and_the_mean_of_its_language():
    numbers = json.loads((Path(__file__).parents[3] / "dataprep/filters/stop_words.json").read_text(encoding="utf-8"))
    for language, text in declarations().items():
        words = words_of(text)
        assert len(set(words.hashes) & set(words_of(*stop_words_of(language)).hashes)) >= 6, language
        mean = words.num_characters.mean()
        assert round(float(mean), 2) == numbers[language]["udhr_mean_word_characters"], language
