"""What each block of a labelled page is, for learning: part of the page's text or not, and how sure that is."""

import re
from dataclasses import dataclass

import numpy as np

from benchmarks.extraction.pages import LabelledPage

_WORD = re.compile(r"\w+")
_NGRAM = 4  # words
_SURE, _AGREED, _DISPUTED = 1.5, 0.6, 0.35  # weight of a label: from the truth, from both other engines, from one
_PHRASE = 10.0  # the same of a phrase that the page was labelled with: nothing is surer


@dataclass(frozen=True)
class Labels:
    """A row each block."""

    is_text: np.ndarray  # float32, 0 or 1
    weight: np.ndarray  # float32


class _Text:
    """Words of a text, for finding out whether a block is in it."""

    def __init__(self, text: str) -> None:
        words = _words(text)
        self._ngrams = set(_ngrams(words))
        self._joined = f" {' '.join(words)} "
        self._lines = {" ".join(_words(line)) for line in text.split("\n")}

    def holds(self, block: str) -> bool:
        words = _words(block)
        joined = " ".join(words)
        if len(words) < _NGRAM:  # too short to be known by its n-grams
            return joined in self._lines or (len(words) == _NGRAM - 1 and f" {joined} " in self._joined)
        ngrams = _ngrams(words)
        return sum(ngram in self._ngrams for ngram in ngrams) >= len(ngrams) / 2


def block_labels(blocks: list[str], labelled: LabelledPage | None, careful: str, fast: str) -> Labels:
    """By the article where it is known; else by the text of a careful engine, which a fast one agrees with or not, and
    by the phrases that must and must not come out."""
    article = labelled.article if labelled else None
    truth, second = _Text(careful if article is None else article), _Text(fast)
    is_text, weight = np.zeros(len(blocks), np.float32), np.zeros(len(blocks), np.float32)
    for i, block in enumerate(blocks):
        num_words = len(block.split())
        is_text[i] = truth.holds(block)
        sure = _SURE if article is not None else _AGREED if second.holds(block) == is_text[i] else _DISPUTED
        weight[i] = sure * (0.5 + np.log2(1 + num_words) / 3)
    flat = [" ".join(block.split()) for block in blocks]
    for phrases, value in ((labelled.wanted, 1), (labelled.unwanted, 0)) if labelled else ():
        for phrase in phrases:
            for i, block in enumerate(flat):
                if " ".join(phrase.split()) in block:
                    is_text[i], weight[i] = value, _PHRASE
    return Labels(is_text, weight)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _ngrams(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + _NGRAM]) for i in range(len(words) - _NGRAM + 1)]
