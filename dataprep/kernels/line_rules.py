"""Rules that judge one line at a time, as a kernel: which lines to cut, and the first rule that says so."""

import functools

import numpy as np
from numba import njit

from dataprep.kernels.unicode_classes import MARK, SINGLE, WHITESPACE, WORD
from dataprep.kernels.utf8 import decode

RULES = ("javascript_line", "policy_line", "long_word_line", "short_line", "no_terminal_punctuation")
"""In the order in which they are tried."""

JAVASCRIPT, POLICY, LONG_WORD, SHORT, NO_TERMINAL_PUNCTUATION = range(len(RULES))

# (phrase, rule). Raffel et al. 2020, 2.2, and its code: `_POLICY_SUBSTRINGS` of c4_utils.py in tensorflow_datasets.
PHRASES = (
    (b"javascript", JAVASCRIPT),
    (b"terms of use", POLICY),
    (b"privacy policy", POLICY),
    (b"cookie policy", POLICY),
    (b"uses cookies", POLICY),
    (b"use of cookies", POLICY),
    (b"use cookies", POLICY),
)

# Raffel et al. 2020, 2.2: period, exclamation mark, question mark, end quotation mark; then the same marks of other
# scripts (Unicode property Sentence_Terminal): ideographic and full-width, Arabic and Urdu, Devanagari, Armenian,
# Ethiopic, Khmer, Myanmar.
TERMINAL_PUNCTUATION = tuple(ord(c) for c in '.!?"”。．！？؟۔।॥։።។။')

_LINE_FEED = 0x0A
_FULL_STOP = 0x2E


@functools.cache
def phrase_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The phrases one after another (uint8), their offsets (int64[phrases + 1]) and their rules (int8)."""
    data = np.frombuffer(b"".join(phrase for phrase, _ in PHRASES), np.uint8)
    offsets = np.cumsum([0] + [len(phrase) for phrase, _ in PHRASES], dtype=np.int64)
    return data, offsets, np.array([rule for _, rule in PHRASES], np.int8)


@njit(cache=True, nogil=True)
def count_lines(data, offsets):
    """How many lines there are, blank ones with them: the most cuts that there can be."""
    count = len(offsets)  # the last line of a text need not end in a line feed
    for position in range(offsets[0], offsets[-1]):
        count += data[position] == _LINE_FEED
    return count


@njit(cache=True, nogil=True)
def cut_lines(data, offsets, classes, phrases, enabled, min_words, max_word_characters, cuts, cut_offsets):
    """Fills in the cuts: `cuts` int64[3, lines] (start, end, rule), `cut_offsets` int64[documents + 1] into them."""
    first_bytes, first_pairs = _phrase_starts(phrases, enabled)
    count = 0
    cut_offsets[0] = 0
    for document in range(len(offsets) - 1):
        origin = offsets[document]
        stop = offsets[document + 1]
        start = origin
        while start < stop:
            end = start  # where the line ends, without its line feed
            rule = len(RULES)
            while end < stop and data[end] != _LINE_FEED:
                # Bit 0x20 makes an ASCII capital a small letter; what else it changes, the comparison sorts out.
                byte = data[end] | 0x20
                if first_bytes[byte] and end + 1 < stop and first_pairs[byte, data[end + 1] | 0x20]:
                    rule = min(rule, _phrase_rule(data, end, stop, phrases, enabled))
                end += 1
            if rule == len(RULES):
                rule = _shape_rule(data, start, end, classes, enabled, min_words, max_word_characters)
            next_start = min(end + 1, stop)
            if rule < len(RULES):
                last = count - 1
                if last >= cut_offsets[document] and cuts[1, last] == start - origin and cuts[2, last] == rule:
                    cuts[1, last] = next_start - origin
                else:
                    cuts[0, count], cuts[1, count], cuts[2, count] = start - origin, next_start - origin, rule
                    count += 1
            start = next_start
        cut_offsets[document + 1] = count


@njit(cache=True, nogil=True)
def _phrase_starts(phrases, enabled):
    """Which bytes, and which pairs of bytes, start an enabled phrase: spares nearly every position the comparison."""
    phrase_data, phrase_offsets, phrase_rules = phrases
    first_bytes = np.zeros(256, np.bool_)
    first_pairs = np.zeros((256, 256), np.bool_)
    for i in range(len(phrase_rules)):
        if enabled[phrase_rules[i]]:
            first, second = phrase_data[phrase_offsets[i]], phrase_data[phrase_offsets[i] + 1]
            first_bytes[first] = True
            first_pairs[first, second] = True
    return first_bytes, first_pairs


@njit(cache=True, nogil=True)
def _phrase_rule(data, position, stop, phrases, enabled):
    """The first enabled rule with a phrase at `position`, whatever the case of its ASCII letters; len(RULES) if none.

    No phrase holds a line feed, so that none is found across the end of a line.
    """
    phrase_data, phrase_offsets, phrase_rules = phrases
    for i in range(len(phrase_rules)):
        length = phrase_offsets[i + 1] - phrase_offsets[i]
        if not enabled[phrase_rules[i]] or position + length > stop:
            continue
        matched = 0
        while matched < length:
            byte = data[position + matched]
            if 0x41 <= byte <= 0x5A:  # A to Z
                byte |= 0x20
            if byte != phrase_data[phrase_offsets[i] + matched]:
                break
            matched += 1
        if matched == length:
            return np.int64(phrase_rules[i])
    return len(RULES)


@njit(cache=True, nogil=True)
def _shape_rule(data, start, end, classes, enabled, min_words, max_word_characters):
    """The first enabled rule about the shape of the line that it breaks; len(RULES) if none. Blank lines break none."""
    counts_words = enabled[SHORT] or enabled[NO_TERMINAL_PUNCTUATION]
    if not counts_words and (not enabled[LONG_WORD] or end - start <= max_word_characters):
        return len(RULES)  # a line of so few bytes has no word of more characters
    num_words, longest, last, num_dots = _measure_line(data, start, end, classes)
    if last == 0:
        return len(RULES)
    if enabled[LONG_WORD] and longest > max_word_characters:
        return LONG_WORD
    if enabled[SHORT] and num_words < min_words:
        return SHORT
    if enabled[NO_TERMINAL_PUNCTUATION]:
        if num_dots >= 3:  # C4's code takes an ellipsis for no end of a sentence
            return NO_TERMINAL_PUNCTUATION
        for mark in TERMINAL_PUNCTUATION:
            if last == mark:
                return len(RULES)
        return NO_TERMINAL_PUNCTUATION
    return len(RULES)


@njit(cache=True, nogil=True)
def _measure_line(data, start, end, classes):
    """Words; the longest run without whitespace, in characters; the last codepoint that is not whitespace (0: none)
    and, where it is a full stop, how many end the line.

    A letter of a script written without spaces starts a new run: a Chinese paragraph is no long word.
    """
    num_words, longest, run, num_dots = 0, 0, 0, 0
    last = np.int64(0)
    inside = False  # a word
    unspaced = False
    position = start
    while position < end:
        codepoint, position = decode(data, position, end)
        kind = classes[codepoint]
        if kind & WHITESPACE != 0:
            run = 0
            inside = False
            continue
        if codepoint == _FULL_STOP:
            num_dots = num_dots + 1 if run > 0 else 1
        else:
            num_dots = 0
        run = 1 if kind & SINGLE != 0 else run + 1
        longest = max(longest, run)
        last = np.int64(codepoint)
        if kind & WORD == 0:
            inside = False
        elif kind & SINGLE != 0 or not inside or (unspaced and kind & MARK == 0):
            num_words += 1
            inside = True
            unspaced = kind & SINGLE != 0
    return num_words, longest, last, num_dots
