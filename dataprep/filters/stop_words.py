"""What Gopher's rules about words say in languages other than English: stop words, and the lengths of words.

`stop_words.json` holds of each language its commonest function words, single words as
`dataprep.kernels.unicode_classes` has them (so none with an apostrophe: French `l'` is the word `l`). English has the
eight of Gopher (Rae et al. 2021, A.1). The other lists were chosen by hand among function words, with the commonest
words of the Universal Declaration of Human Rights in view and, for nine languages, those of novels. A test asks that
each Declaration has at least six of its language's; nobody who speaks the language has read the lists.
Languages written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) have none: every letter of theirs is a
word, so that neither stop words nor lengths of words say anything.
"""

import functools
import json
from pathlib import Path
from typing import Any

# Gopher's limits of mean word length (Rae et al. 2021, A.1), in characters.
_ENGLISH_LIMITS = (3.0, 10.0)


def languages_with_stop_words() -> tuple[str, ...]:
    """The ISO 639 codes of the languages that have a list, in the order of the file; English is first."""
    return tuple(_languages())


def stop_words_of(language: str) -> tuple[str, ...]:
    """The stop words of a language, in lower case; empty where it has no list."""
    found = _languages().get(language)
    return tuple(found["stop_words"]) if found else ()


def mean_word_limits_of(language: str) -> tuple[float, float] | None:
    """The least and the most mean characters of a word, to a tenth; None where the language has no list.

    Gopher's limits, 3 and 10, times the mean of the language over that of English, both in the Universal Declaration of
    Human Rights, where all languages say the same.
    """
    found = _languages().get(language)
    if found is None:
        return None
    ratio = found["udhr_mean_word_characters"] / _languages()["en"]["udhr_mean_word_characters"]
    low, high = (round(limit * ratio, 1) for limit in _ENGLISH_LIMITS)
    return low, high


@functools.cache
def _languages() -> dict[str, dict[str, Any]]:
    languages: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return languages
