"""What the rules about words need, counted over `Words`."""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from dataprep.kernels.words import Words, find_words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""English; Rae et al. 2021, A.1."""


@dataclass(frozen=True)
class WordStatistics:
    """int64[documents] each: words, their codepoints, words with a letter, how many of `STOP_WORDS` occur."""

    num_words: np.ndarray
    num_word_characters: np.ndarray
    num_words_with_letter: np.ndarray
    num_stop_words: np.ndarray


def word_statistics(words: Words) -> WordStatistics:
    """The counts for each document; a stop word that occurs twice counts once."""
    counts = np.empty((3, words.num_documents), np.int64)
    _count(words.offsets, words.hashes, words.num_characters, words.has_letter, _stop_word_hashes(), counts)
    return WordStatistics(np.diff(words.offsets), counts[0], counts[1], counts[2])


@functools.cache
def _stop_word_hashes() -> np.ndarray:
    return find_words(pa.array(STOP_WORDS, pa.large_string())).hashes


@njit(cache=True, nogil=True)
def _count(offsets, hashes, num_characters, has_letter, stop_words, counts):
    longest_stop_word = 4  # characters: that, have, with
    for document in range(len(offsets) - 1):
        characters = 0
        with_letter = 0
        seen = 0  # one bit for each stop word
        for i in range(offsets[document], offsets[document + 1]):
            characters += num_characters[i]
            with_letter += has_letter[i]
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
