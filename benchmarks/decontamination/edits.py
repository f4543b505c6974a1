"""Evaluation texts as others might have copied them: light edits, drawn from a seed."""

import random
import re
from collections.abc import Callable

_MARKS_AT_ENDS = re.compile(r"(?<!\w)[^\w\s]+|[^\w\s]+(?!\w)")
_ALL_MARKS = re.compile(r"[^\w\s]+")


def _a_word_in_ten(text: str, draw: random.Random, words: list[str]) -> str:
    """One word in ten, at least one, replaced by a word of another text."""
    parts = re.split(r"(\s+)", text)
    places = [number for number, part in enumerate(parts) if part and not part.isspace()]
    for place in draw.sample(places, max(round(len(places) / 10), 1)):
        parts[place] = draw.choice(words)
    return "".join(parts)


def _case_and_marks(text: str, draw: random.Random, words: list[str]) -> str:
    """All in capitals or in small letters, without the marks at the ends of words."""
    return _MARKS_AT_ENDS.sub("", text.upper() if draw.random() < 0.5 else text.lower())


def _no_marks(text: str, draw: random.Random, words: list[str]) -> str:
    """Without any mark: `don't` becomes one word, and so does `well-known`."""
    return _ALL_MARKS.sub("", text)


def _all_of_it(text: str, draw: random.Random, words: list[str]) -> str:
    return _case_and_marks(_a_word_in_ten(text, draw, words), draw, words)


EDITS: dict[str, Callable[[str, random.Random, list[str]], str]] = {
    "as it is": lambda text, draw, words: text,
    "case, and marks at the ends of words": _case_and_marks,
    "a word in ten": _a_word_in_ten,
    "a word in ten, case and marks": _all_of_it,
    "all marks, within words too": _no_marks,
}
"""What is done to a text, by name."""
