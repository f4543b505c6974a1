"""What the rules about words need, counted over `Words`."""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.words import Words, find_words

LOREM_IPSUM = ("lorem", "ipsum")
"""How the text begins that stands where there is none yet; Raffel et al. 2020, 2.2."""

MAX_STOP_WORDS = 64  # of a list: they are told apart by the bits of one integer


@dataclass(frozen=True)
class WordStatistics:
    """int64[documents] each: words, their codepoints, words with a letter, how many words of the document's list of
    stop words occur; how often the word `lorem` comes before the word `ipsum`."""

    num_words: np.ndarray
    num_word_characters: np.ndarray
    num_words_with_letter: np.ndarray
    num_stop_words: np.ndarray
    num_lorem_ipsum: np.ndarray


def word_statistics(words: Words, stop_words: tuple[tuple[str, ...], ...], chosen: np.ndarray) -> WordStatistics:
    """The counts for each document. `stop_words` holds lists of up to `MAX_STOP_WORDS`, `chosen` int64[documents] the
    index of each document's list, -1 for none. A stop word that occurs twice counts once."""
    assert max(map(len, stop_words), default=0) <= MAX_STOP_WORDS
    counts = np.empty((4, words.num_documents), np.int64)
    lists = *_lists(stop_words), chosen
    lorem, ipsum = _hashes(LOREM_IPSUM)
    _count(words.offsets, words.hashes, words.num_characters, words.has_letter, lists, lorem, ipsum, counts)
    return WordStatistics(np.diff(words.offsets), *counts)


@functools.cache
def _lists(stop_words: tuple[tuple[str, ...], ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The hashes of all lists one after the other, the offsets into them, and for each list, by the last byte of a
    hash, whether one of its words has it: that spares most words the comparison."""
    offsets = np.cumsum([0, *map(len, stop_words)])
    hashes = _hashes(tuple(word for words in stop_words for word in words))
    bytes_of = np.zeros((len(stop_words), 256), np.bool_)
    for i in range(len(stop_words)):
        bytes_of[i, (hashes[offsets[i] : offsets[i + 1]] & np.uint64(0xFF)).astype(np.int64)] = True
    return hashes, offsets, bytes_of


def _hashes(words: tuple[str, ...]) -> np.ndarray:
    found = find_words(pa.array(words, pa.large_string())).hashes
    assert len(found) == len(words), f"each of these must be one word: {words}"
    return found


@kernel
def _count(offsets, hashes, num_characters, has_letter, lists, lorem, ipsum, counts):
    stop_words, list_offsets, bytes_of, chosen = lists
    for document in range(len(offsets) - 1):
        characters = 0
        with_letter = 0
        seen = np.uint64(0)  # one bit for each stop word
        after_lorem = False
        num_lorem_ipsum = 0
        which = chosen[document]
        for i in range(offsets[document], offsets[document + 1]):
            characters += num_characters[i]
            with_letter += has_letter[i]
            num_lorem_ipsum += after_lorem & (hashes[i] == ipsum)
            after_lorem = hashes[i] == lorem
            if which >= 0 and bytes_of[which, hashes[i] & np.uint64(0xFF)]:
                for j in range(list_offsets[which], list_offsets[which + 1]):
                    if hashes[i] == stop_words[j]:
                        seen |= np.uint64(1) << np.uint64(j - list_offsets[which])
        counts[0, document] = characters
        counts[1, document] = with_letter
        num_seen = 0
        while seen != 0:
            seen &= seen - np.uint64(1)  # the lowest bit goes
            num_seen += 1
        counts[2, document] = num_seen
        counts[3, document] = num_lorem_ipsum
