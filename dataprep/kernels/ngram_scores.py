"""Scoring text with an n-gram model, and reading the model.

    lines of an ARPA file --read_ngrams--> NgramTable      sentences + NgramTable --score--> log10 probabilities

An n-gram is a hash of its words' hashes, taken from the last word backwards, so that the longest one that ends at a
word is found by going on until one is not there: each n-gram's last words must be in the model too. Logarithms are
integers, so that sums of them are the same on every machine.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_1, PRIME_2, PRIME_3, PRIME_5, avalanche, mix_in
from dataprep.kernels.sentences import find_sentences
from dataprep.kernels.unicode_classes import unicode_classes
from dataprep.kernels.utf8 import decode
from dataprep.kernels.words import add_character, end_word

MAX_ORDER = 5
# What stands for a word's hash in "<unk>", "<s>" and "</s>", by the length of how they are spelt.
_UNKNOWN, _BEGIN, _END = PRIME_1, PRIME_2, PRIME_3
_UNKNOWN_LENGTH, _BEGIN_LENGTH, _END_LENGTH = 5, 3, 4

# What is wrong with a line of a model; 0: nothing.
NO_NUMBER, WRONG_WORDS, TWICE, NO_SUFFIX = 1, 2, 3, 4


@dataclass(frozen=True)
class NgramTable:
    """A model to score with. `slots` uint64[slots, 2]: the hash of an n-gram (0: none), and its log10 probability
    (upper half) and backoff (lower half) as int32 in units of `dataprep.arpa.UNITS_PER_LOG10`."""

    slots: np.ndarray
    order: int

    @property
    def num_bytes(self) -> int:
        return int(self.slots.nbytes)


def empty_table(num_ngrams: int, order: int) -> NgramTable:
    """Room for so many n-grams."""
    return NgramTable(np.zeros((1 << max(2 * num_ngrams - 1, 1).bit_length(), 2), np.uint64), order)


def read_ngrams(lines: np.ndarray, length: int, table: NgramTable) -> tuple[int, int, int]:
    """Puts the n-grams of `length` words into the table, from the bytes of their lines. How many there were, and the
    first line (from 0) that is wrong with what is wrong, or (-1, 0).

    Shorter n-grams must have been read before.
    """
    tables = unicode_classes()
    found = _read_ngrams(lines, length, tables.lower, table.slots)
    return int(found[0]), int(found[1]), int(found[2])


def score(text: pa.LargeStringArray, table: NgramTable) -> tuple[np.ndarray, np.ndarray]:
    """int64[documents] each: the log10 probability of all sentences of a text, in units of `UNITS_PER_LOG10`, and how
    many words that is of, ends of sentences included. A line without words is no sentence."""
    sentences = find_sentences(text)
    logarithms = np.zeros(len(text), np.int64)
    num_words = np.zeros(len(text), np.int64)
    _score(sentences.line_offsets, sentences.offsets, sentences.hashes, table.slots, table.order, logarithms, num_words)
    return logarithms, num_words


@kernel
def _find(slots, key):
    """The slot of an n-gram, or the free one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = key & mask
    while slots[slot, 0] != np.uint64(0) and slots[slot, 0] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def _probability(packed):
    return np.int64(np.int32(packed >> np.uint64(32)))


@kernel
def _backoff(packed):
    return np.int64(np.int32(packed & np.uint64(0xFFFFFFFF)))


@kernel
def _score(line_offsets, offsets, hashes, slots, order, logarithms, num_words):
    backoffs = np.zeros(MAX_ORDER + 1, np.int64)  # of the last words, by how many of them
    next_backoffs = np.zeros(MAX_ORDER + 1, np.int64)
    unknown = _probability(slots[_find(slots, avalanche(mix_in(PRIME_5, _UNKNOWN))), 1])
    begin_backoff = _backoff(slots[_find(slots, avalanche(mix_in(PRIME_5, _BEGIN))), 1])
    for document in range(len(line_offsets) - 1):
        total = np.int64(0)
        num_scored = np.int64(0)
        for line in range(line_offsets[document], line_offsets[document + 1]):
            first, stop = offsets[line], offsets[line + 1]
            if first == stop:
                continue
            known = 1  # how many words before this one are in the model as they stand
            backoffs[1] = begin_backoff
            for place in range(first, stop + 1):
                state = mix_in(PRIME_5, hashes[place] if place < stop else _END)
                slot = _find(slots, avalanche(state))
                length = 0
                logarithm = unknown
                if slots[slot, 0] != np.uint64(0):
                    length = 1
                    while True:
                        logarithm = _probability(slots[slot, 1])
                        next_backoffs[length] = _backoff(slots[slot, 1])
                        if length > known or length == order:
                            break
                        before = place - length
                        state = mix_in(state, hashes[before] if before >= first else _BEGIN)
                        slot = _find(slots, avalanche(state))
                        if slots[slot, 0] == np.uint64(0):
                            break
                        length += 1
                for shorter in range(max(length, 1), known + 1):
                    logarithm += backoffs[shorter]
                known = min(length, order - 1)
                for shorter in range(1, known + 1):
                    backoffs[shorter] = next_backoffs[shorter]
                total += logarithm
            num_scored += stop + 1 - first
        logarithms[document] = total
        num_words[document] = num_scored


@kernel
def _read_ngrams(lines, length, lower, slots):
    words = np.zeros(MAX_ORDER, np.uint64)
    num_lines = 0
    position = np.int64(0)
    while position < len(lines):
        end = position
        while end < len(lines) and lines[end] != 10:
            end += 1
        if end == position:  # a blank line
            position = end + 1
            continue
        logarithm, after = _number(lines, position, end)
        if after < 0:
            return num_lines, num_lines, NO_NUMBER
        for i in range(length):
            words[i], after = _word(lines, after, end, lower)
            if after < 0:
                return num_lines, num_lines, WRONG_WORDS
        backoff = np.int64(0)
        if after < end:
            backoff, after = _number(lines, after + 1, end)
            if after != end:
                return num_lines, num_lines, NO_NUMBER
        state = PRIME_5
        for i in range(length):
            suffix = avalanche(state)
            state = mix_in(state, words[length - 1 - i])
        slot = _find(slots, avalanche(state))
        if slots[slot, 0] != np.uint64(0):
            return num_lines, num_lines, TWICE
        # Without its first word: that must be there, or scoring would stop before.
        if length > 1 and slots[_find(slots, suffix), 0] == np.uint64(0):
            return num_lines, num_lines, NO_SUFFIX
        slots[slot, 0] = avalanche(state)
        slots[slot, 1] = np.uint64(np.uint32(np.int32(logarithm))) << np.uint64(32) | np.uint64(
            np.uint32(np.int32(backoff))
        )
        num_lines += 1
        position = end + 1
    return num_lines, -1, 0


@kernel
def _word(lines, position, end, lower):
    """The hash of the word after the blank at `position`, and where it ends; -1 where there is none."""
    if position >= end or (lines[position] != 32 and lines[position] != 9):
        return np.uint64(0), -1
    start = position + 1
    after = start
    while after < end and lines[after] != 32 and lines[after] != 9:
        after += 1
    if after == start:
        return np.uint64(0), -1
    if lines[start] == 60:  # "<": no word starts with it
        spelt = after - start
        if spelt == _UNKNOWN_LENGTH:
            return _UNKNOWN, after
        return (_BEGIN if spelt == _BEGIN_LENGTH else _END), after
    state, lane, filled = PRIME_5, np.uint64(0), np.uint64(0)
    at = start
    while at < after:
        codepoint, at = decode(lines, at, after)
        state, lane, filled = add_character(state, lane, filled, lower[codepoint])
    return end_word(state, lane, filled), after


@kernel
def _number(lines, position, end):
    """A decimal number with an exponent or none, in units of 1e-7, and where it ends; -1 where there is none."""
    negative = position < end and lines[position] == 45
    if negative:
        position += 1
    mantissa = 0.0
    scale = 7
    digits = 0
    fraction = False
    while position < end and (48 <= lines[position] <= 57 or (lines[position] == 46 and not fraction)):
        if lines[position] == 46:
            fraction = True
        else:
            mantissa = mantissa * 10 + (lines[position] - 48)
            digits += 1
            if fraction:
                scale -= 1
        position += 1
    if digits == 0:
        return np.int64(0), -1
    if position < end and (lines[position] == 101 or lines[position] == 69):
        position += 1
        smaller = position < end and lines[position] == 45
        if position < end and (lines[position] == 45 or lines[position] == 43):
            position += 1
        exponent = 0
        while position < end and 48 <= lines[position] <= 57:
            exponent = exponent * 10 + (lines[position] - 48)
            position += 1
        scale += -exponent if smaller else exponent
    for _ in range(min(abs(scale), 30)):
        mantissa = mantissa * 10 if scale > 0 else mantissa / 10
    value = np.int64(np.rint(mantissa))
    return (-value if negative else value), position
