"""What an extracted text is worth against the truth about its page."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.extraction.pages import LabelledPage

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Score:
    """Of several pages. Phrases are counted over all pages; words page by page, each page the same weight."""

    num_pages: int
    phrase_recall: float  # share of the phrases that must come out which did
    phrase_rejection: float  # share of the phrases that must not come out which did not
    phrase_f1: float  # of what came out; the measure of trafilatura's own evaluation
    article_precision: float  # words
    article_recall: float
    article_f1: float
    html_precision: float  # the same where the truth is an article's markup
    html_recall: float
    html_f1: float

    def as_row(self) -> dict[str, float]:
        return asdict(self)


def score(pages: Sequence[LabelledPage], texts: Sequence[str]) -> Score:
    """Of these texts, one for each page."""
    wanted = found = unwanted = leaked = 0
    words: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
    for labelled, text in zip(pages, texts, strict=True):
        flat = _flat(text)
        wanted += len(labelled.wanted)
        unwanted += len(labelled.unwanted)
        found += sum(_flat(phrase) in flat for phrase in labelled.wanted)
        leaked += sum(_flat(phrase) in flat for phrase in labelled.unwanted)
        if labelled.article is not None:
            words[labelled.source == "readability"].append(word_overlap(labelled.article, text))
    article, html = _means(words[False]), _means(words[True])
    phrase_f1 = 2 * found / (wanted + found + leaked) if wanted else 0.0
    rates = (found / wanted if wanted else 0.0, 1 - leaked / unwanted if unwanted else 0.0, phrase_f1)
    return Score(len(pages), *rates, *article, *html)


def word_overlap(truth: str, text: str) -> tuple[float, float, float]:
    """(precision, recall, F1) of the words of `text`, each as often as it stands there."""
    expected, got = Counter(_words(truth)), Counter(_words(text))
    common = (expected & got).total()
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / got.total(), common / expected.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _flat(text: str) -> str:
    return " ".join(text.split())


def _means(rows: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    if not rows:
        return 0.0, 0.0, 0.0
    precision, recall, f1 = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    return precision, recall, f1
