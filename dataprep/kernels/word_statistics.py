"""What the rules about words need, counted over `Words`."""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from dataprep.kernels.words import Words, find_words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""English; Rae et al. 2021, A.1."""

LOREM_IPSUM = ("lorem", "ipsum")
"""How the text begins that stands where there is none yet; Raffel et al. 2020, 2.2."""


@dataclass(frozen=True)
class WordStatistics:
    """int64[documents] each: words, their codepoints, words with a letter, how many of `STOP_WORDS` occur; how often
    the word `lorem` comes before the word `ipsum`."""

    num_words: np.ndarray
    num_word_characters: np.ndarray
    num_words_with_letter: np.ndarray
    num_stop_words: np.ndarray
    num_lorem_ipsum: np.ndarray


def word_statistics(words: Words) -> WordStatistics:
    """The counts for each document; a stop word that occurs twice counts once."""
    counts = np.empty((4, words.num_documents), np.int64)
    _count(
        words.offsets,
        words.hashes,
        words.num_characters,
        words.has_letter,
        _hashes(STOP_WORDS),
        _hashes(LOREM_IPSUM),
        counts,
    )
    return WordStatistics(np.diff(words.offsets), *counts)


@functools.cache
def _hashes(words: tuple[str, ...]) -> np.ndarray:
    return find_words(pa.array(words, pa.large_string())).hashes


@njit(cache=True, nogil=True)
def _count(offsets, hashes, num_characters, has_letter, stop_words, lorem_ipsum, counts):
    longest_stop_word = 4  # characters: that, have, with
    for document in range(len(offsets) - 1):
        characters = 0
        with_letter = 0
        seen = 0  # one bit for each stop word
        after_lorem = False
        num_lorem_ipsum = 0
        for i in range(offsets[document], offsets[document + 1]):
            characters += num_characters[i]
            with_letter += has_letter[i]
            num_lorem_ipsum += after_lorem & (hashes[i] == lorem_ipsum[1])
            after_lorem = hashes[i] == lorem_ipsum[0]
            if num_characters[i] <= longest_stop_word:
                for j in range(len(stop_words)):
                    if hashes[i] == stop_words[j]:
                        seen |= 1 << j
        counts[0, document] = characters
        counts[1, document] = with_letter
        num_seen = 0
        for j in range(len(stop_words)):
            num_seen += (seen >> j) & 1
        counts[2, document] = num_seen
        counts[3, document] = num_lorem_ipsum
