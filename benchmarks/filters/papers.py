"""The heuristic families as the papers read, in plain Python: dictionaries and slices, one text at a time, slow.

What the kernels give is held against this, statistic by statistic and decision by decision. It shares with them what a
word and a letter is (`dataprep.kernels.unicode_classes`) and no other code; the limits are typed from the papers once
more.
"""

import functools
import json
import re
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from dataprep.kernels import unicode_classes as table

# Rae et al. 2021, A.1.
BULLETS = ("-", "*", "•", "‣", "⁃", "◦", "▪", "▫")
STOP_WORDS = json.loads((Path(__file__).parents[2] / "dataprep" / "filters" / "stop_words.json").read_text())
TOP_LIMITS = {2: 0.20, 3: 0.18, 4: 0.16}
DUPLICATE_LIMITS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def words_of(text: str) -> list[str]:
    """The words in lower case."""
    return [word.translate(_lowercase()) for word in _word_pattern().findall(text)]


def statistics(text: str, language: str = "en") -> dict[str, int]:
    """What the rules need to know, by the names of the columns of `attributes`."""
    words = words_of(text)
    return _of_words(words, language) | _of_lines(text) | _of_symbols(text) | _of_ngrams(words)


def _of_words(words: list[str], language: str) -> dict[str, int]:
    return {
        "num_words": len(words),
        "num_word_characters": sum(len(word) for word in words),
        "num_words_with_letter": sum(_letter_pattern().search(word) is not None for word in words),
        "num_stop_words": len(
            set(words).intersection(STOP_WORDS[language]["stop_words"] if language in STOP_WORDS else [])
        ),
        "num_lorem_ipsum": sum(words[i : i + 2] == ["lorem", "ipsum"] for i in range(len(words))),
    }


def _of_lines(text: str) -> dict[str, int]:
    stripped = [line.strip(_whitespace()) for line in text.split("\n")]
    lines = [line for line in stripped if line]
    paragraphs = [tuple(group) for is_full, group in groupby(stripped, key=bool) if is_full]
    repeated_lines = _repeated(lines)
    repeated_paragraphs = _repeated(paragraphs)
    marks = _sentence_ends()
    return {
        "num_newlines": text.count("\n"),
        "num_lines": len(lines),
        "num_line_characters": sum(len(line) for line in lines),
        "num_bullet_lines": sum(line.startswith(BULLETS) for line in lines),
        "num_ellipsis_lines": sum(line.endswith(("...", "…")) for line in lines),
        "num_punctuated_lines": sum(line[-1] in marks for line in lines),
        "num_short_lines": sum(len(line) < 30 for line in lines),
        "num_duplicate_lines": len(repeated_lines),
        "num_duplicate_line_characters": sum(len(line) for line in repeated_lines),
        "num_paragraphs": len(paragraphs),
        "num_duplicate_paragraphs": len(repeated_paragraphs),
        "num_duplicate_paragraph_characters": sum(len(line) for lines in repeated_paragraphs for line in lines),
    }


def _repeated(things: list[Any]) -> list[Any]:
    """Those that equal an earlier one."""
    seen = set()
    repeated = []
    for thing in things:
        if thing in seen:
            repeated.append(thing)
        seen.add(thing)
    return repeated


def _of_symbols(text: str) -> dict[str, int]:
    sentences = 0
    start = 0
    for mark in _sentence_pattern().finditer(text):
        if _letter_pattern().search(text, start, mark.start()):
            sentences += 1
            start = mark.end()
    return {
        "num_characters": len(text),
        "num_sentences": sentences,
        "num_hashes": text.count("#"),
        "num_ellipses": text.count("...") + text.count("…"),
        "num_curly_brackets": text.count("{"),
    }


def _of_ngrams(words: list[str]) -> dict[str, int]:
    found = {}
    for n in TOP_LIMITS:
        places = defaultdict(list)
        for i, ngram in enumerate(_ngrams(words, n)):
            places[ngram].append(i)
        found[f"num_top_{n}_gram_characters"] = _top(places, n)
    for n in DUPLICATE_LIMITS:
        seen = set()
        inside: set[int] = set()  # words in an n-gram that occurred before
        for i, ngram in enumerate(_ngrams(words, n)):
            if ngram in seen:
                inside.update(range(i, i + n))
            seen.add(ngram)
        found[f"num_duplicate_{n}_gram_characters"] = sum(len(words[i]) for i in inside)
    return found


def _ngrams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[i:] for i in range(n)), strict=False))


def _top(places: dict[tuple[str, ...], list[int]], n: int) -> int:
    """Characters in the n-gram that is most often there without overlap; the longest of several."""
    most, characters = 1, 0
    for ngram, starts in places.items():
        count, free = 0, 0
        for start in starts:
            if start >= free:
                count, free = count + 1, start + n
        if count > 1 and (count, sum(map(len, ngram))) > (most, characters):
            most, characters = count, sum(map(len, ngram))
    return most * characters


def faults(found: dict[str, int], language: str) -> set[str]:
    """The reasons of every rule that a document with these statistics breaks, by the published limits."""

    def share(numerator: str, denominator: str) -> float:
        return found[numerator] / found[denominator] if found[denominator] else 0.0

    line_characters = share("num_duplicate_line_characters", "num_line_characters")
    paragraph_characters = share("num_duplicate_paragraph_characters", "num_line_characters")
    mean_length = share("num_word_characters", "num_words")
    means = {known: figures["udhr_mean_word_characters"] for known, figures in STOP_WORDS.items()}
    longer = means.get(language, means["en"]) / means["en"]  # the words of this language, than English ones
    broken = {
        # Rae et al. 2021, A.1, repetition
        "too_many_duplicate_lines": share("num_duplicate_lines", "num_lines") > 0.30,
        "too_many_duplicate_paragraphs": share("num_duplicate_paragraphs", "num_paragraphs") > 0.30,
        "too_much_text_in_duplicate_lines": line_characters > 0.20,
        "too_much_text_in_duplicate_paragraphs": paragraph_characters > 0.20,
        # the same, quality
        "too_few_words": found["num_words"] < 50,
        "too_many_words": found["num_words"] > 100_000,
        "mean_word_too_short": language in STOP_WORDS and mean_length < round(3 * longer, 1),
        "mean_word_too_long": language in STOP_WORDS and mean_length > round(10 * longer, 1),
        "too_many_hashes": share("num_hashes", "num_words") > 0.1,
        "too_many_ellipses": share("num_ellipses", "num_words") > 0.1,
        "too_many_bullet_lines": share("num_bullet_lines", "num_lines") > 0.9,
        "too_many_ellipsis_lines": share("num_ellipsis_lines", "num_lines") > 0.3,
        "too_few_words_with_letter": share("num_words_with_letter", "num_words") < 0.8,
        "too_few_stop_words": language in STOP_WORDS and found["num_stop_words"] < 2,
        # Raffel et al. 2020, 2.2
        "curly_bracket": found["num_curly_brackets"] > 0,
        "lorem_ipsum": found["num_lorem_ipsum"] > 0,
        "too_few_sentences": found["num_sentences"] < 5,
        # Penedo et al. 2024
        "too_few_punctuated_lines": share("num_punctuated_lines", "num_lines") <= 0.12,
        "too_much_text_in_repeated_lines": line_characters >= 0.1,
        "too_many_short_lines": share("num_short_lines", "num_lines") >= 0.67,
        "too_many_newlines": share("num_newlines", "num_words") > 0.3,
    }
    for n, limit in TOP_LIMITS.items():
        broken[f"too_much_text_in_top_{n}_gram"] = share(f"num_top_{n}_gram_characters", "num_word_characters") > limit
    for n, limit in DUPLICATE_LIMITS.items():
        inside = share(f"num_duplicate_{n}_gram_characters", "num_word_characters")
        broken[f"too_much_text_in_duplicate_{n}_grams"] = inside > limit
    return {reason for reason, is_broken in broken.items() if is_broken}


@functools.cache
def _word_pattern() -> re.Pattern[str]:
    """An unspaced letter with its marks, or a run of everything else that words are made of."""
    classes = table.unicode_classes().classes
    single, mark, word = (classes & bits != 0 for bits in (table.SINGLE, table.MARK, table.WORD))
    return re.compile(f"[{_members(single)}][{_members(mark)}]*|[{_members(word & ~single)}]+")


@functools.cache
def _letter_pattern() -> re.Pattern[str]:
    return re.compile(f"[{_members(table.unicode_classes().classes & table.LETTER != 0)}]")


@functools.cache
def _sentence_pattern() -> re.Pattern[str]:
    """A mark that may end a sentence: the ASCII ones before whitespace or the end, the others anywhere."""
    classes = table.unicode_classes().classes
    ends = classes & table.SENTENCE_END != 0
    between, space = ends | (classes & table.CLOSING != 0), classes & table.WHITESPACE != 0
    others = ends & (np.arange(len(ends)) >= 0x80)
    return re.compile(rf"[.!?](?=[{_members(between)}]*(?:[{_members(space)}]|\Z))|[{_members(others)}]")


@functools.cache
def _sentence_ends() -> frozenset[str]:
    return frozenset(chr(c) for c in np.flatnonzero(table.unicode_classes().classes & table.SENTENCE_END))


@functools.cache
def _whitespace() -> str:
    return "".join(chr(c) for c in np.flatnonzero(table.unicode_classes().classes & table.WHITESPACE))


@functools.cache
def _lowercase() -> dict[int, int]:
    lower = table.unicode_classes().lower
    return {int(c): int(lower[c]) for c in np.flatnonzero(lower != np.arange(len(lower)))}


def _members(belongs: np.ndarray) -> str:
    """The inside of a character class of `re`: the ranges of codepoints that belong."""
    edges = np.flatnonzero(np.diff(belongs.astype(np.int8), prepend=0, append=0))
    return "".join(f"\\U{first:08X}-\\U{stop - 1:08X}" for first, stop in edges.reshape(-1, 2).tolist())
