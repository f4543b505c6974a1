"""The n-grams of a collection of texts, counted: what a model is estimated from.

texts --find_sentences--> words --Vocabulary--> numbers of words --count_ngrams--> a `Level` for each length
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from dataprep.errors import DataError
from dataprep.kernels.ngram_counts import MAX_WORDS, Level, check_room
from dataprep.kernels.sentences import find_sentences, spell

UNKNOWN, BEGIN, END = 0, 1, 2
SPECIAL_WORDS = ("<unk>", "<s>", "</s>")
"""As ARPA files spell them: a word that is not in the vocabulary, a sentence's begin, its end."""

_BATCH_WORDS = 1 << 20  # counted at a time


@dataclass
class TrainingText:
    """Sentences as numbers of words, in memory: 4 bytes a word.

    `numbers`: int32 arrays, the places of the words among `spellings`; `lengths`: int32 arrays, the words of each
    sentence, none without.
    """

    words: Level = field(default_factory=Level)
    spellings: list[str] = field(default_factory=list)
    numbers: list[np.ndarray] = field(default_factory=list)
    lengths: list[np.ndarray] = field(default_factory=list)

    def add(self, text: pa.LargeStringArray) -> None:
        """Takes in the sentences of a batch of documents."""
        sentences = find_sentences(text)
        numbers, new_places = self.words.add_words(sentences.hashes)
        self.spellings += spell(sentences, new_places)
        if self.words.size > MAX_WORDS - len(SPECIAL_WORDS):
            raise DataError(f"the texts hold more than {MAX_WORDS:,} different words: give fewer texts")
        lengths = np.diff(sentences.offsets)
        self.numbers.append(numbers)
        self.lengths.append(lengths[lengths > 0].astype(np.int32))

    @property
    def num_words(self) -> int:
        return sum(map(len, self.numbers))


@dataclass(frozen=True)
class NgramCounts:
    """`vocabulary`: spellings by number, `SPECIAL_WORDS` first. `levels[k]`: the n-grams of k + 1 words, of which the
    first level's are the vocabulary itself."""

    vocabulary: list[str]
    levels: list[Level]


def count_ngrams(text: TrainingText, order: int, min_word_count: int, max_ngrams: int) -> NgramCounts:
    """Every n-gram of 1 to `order` words, with a begin and an end around each sentence. Words that are seen fewer than
    `min_word_count` times are `<unk>`.

    Raises DataError where there are no words, or more than `max_ngrams` different n-grams.
    """
    kept = np.flatnonzero(text.words.counts[: text.words.size] >= min_word_count)
    if not len(kept):
        raise DataError(f"no word occurs {min_word_count} times among {text.num_words:,}: give more text")
    vocabulary = [*SPECIAL_WORDS, *(text.spellings[number] for number in kept.tolist())]
    number_of = np.full(text.words.size, UNKNOWN, np.int32)
    number_of[kept] = np.arange(len(SPECIAL_WORDS), len(vocabulary))
    levels = [_unigram_level(len(vocabulary)), *(Level() for _ in range(order - 1))]
    for words in _framed(text, number_of):
        _count(levels, words)
        check_room(sum(level.size for level in levels), max_ngrams)
    return NgramCounts(vocabulary, levels)


def _unigram_level(num_words: int) -> Level:
    """A level whose numbers are those of the vocabulary."""
    level = Level()
    level.add_words(np.arange(num_words, dtype=np.uint64))
    level.counts[:num_words] = 0
    return level


def _framed(text: TrainingText, number_of: np.ndarray) -> Iterable[np.ndarray]:
    """uint32[words] arrays of whole sentences with their begins and ends."""
    for numbers, lengths in zip(text.numbers, text.lengths, strict=True):
        ends = np.cumsum(lengths)
        cuts = np.searchsorted(ends, np.arange(_BATCH_WORDS, len(numbers), _BATCH_WORDS), side="left") + 1
        for first, stop in zip([0, *cuts], [*cuts, len(lengths)], strict=True):
            if first < stop:
                yield _with_ends(number_of[numbers[ends[first] - lengths[first] : ends[stop - 1]]], lengths[first:stop])


def _with_ends(words: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    framed = np.empty(len(words) + 2 * len(lengths), np.uint32)
    ends = np.cumsum(lengths + 2)
    is_word = np.ones(len(framed), np.bool_)
    is_word[ends - 1] = is_word[ends - lengths - 2] = False
    framed[is_word] = words
    framed[ends - 1], framed[ends - lengths - 2] = END, BEGIN
    return framed


def _count(levels: list[Level], words: np.ndarray) -> None:
    numbers, _ = levels[0].add_words(words.astype(np.uint64))
    for length, level in enumerate(levels[1:], 2):
        numbers = level.add_ngrams(numbers, words, length, END, levels[length - 2])
