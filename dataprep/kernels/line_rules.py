"""Rules that judge one line at a time, as a kernel: which lines to cut, and the first rule that says so.

C4's: Raffel et al. 2020, section 2.2. RefinedWeb's: Penedo et al. 2023, appendix G.2, which gives them in words;
numbers and the list of counters are those of DCLM's reimplementation (Li et al. 2024; `dclm_baseline_refinedweb.yaml`).
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dataprep.kernels.ascii_case import stands_at
from dataprep.kernels.blocks import (
    BLOCK,
    capitals_of_block,
    digits_of_block,
    first_bits,
    letters_of_block,
    line_end,
    lowest_bit,
    non_ascii_of_block,
    num_bits,
    whitespace_of_block,
)
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edit_rules import (
    COUNTER,
    DIGITS,
    LONG_WORD,
    NO_TERMINAL_PUNCTUATION,
    ONE_WORD,
    RULES,
    SHORT,
    UPPERCASE,
)
from dataprep.kernels.edits import Edits, cuts, read_only
from dataprep.kernels.phrases import next_phrase, phrase_table
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import DIGIT, MARK, SINGLE, WHITESPACE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode

# Raffel et al. 2020, 2.2: period, exclamation mark, question mark, end quotation mark; then the same marks of other
# scripts (Unicode property Sentence_Terminal): ideographic and full-width, Arabic and Urdu, Devanagari, Armenian,
# Ethiopic, Khmer, Myanmar.
TERMINAL_PUNCTUATION = tuple(ord(c) for c in '.!?"”。．！？؟۔।॥։።။។')

COUNTED = (
    *(b"like", b"share", b"comment", b"retweet", b"repost", b"quote", b"bookmark", b"upvote", b"downvote"),
    *(b"download", b"view", b"follower"),
)
"""What counters on pages count, here with and without an s (`counter_line_modifier` of DCLM takes the plural)."""

_LINE_FEED = 0x0A
_FULL_STOP = 0x2E
_FEW = 4  # bytes; fewer than these are looked at one by one


class LineRules(NamedTuple):
    """Which rules are on (bool[len(RULES)], by their index) and their limits, as the kernel takes them."""

    enabled: np.ndarray
    min_words: int
    max_word_characters: int
    max_uppercase_share: float
    refinedweb_min_words: int


class Line(NamedTuple):
    """What there is to know of a line.

    `longest` is the longest run without whitespace, in characters; a letter of a script written without spaces starts
    a new run: a Chinese paragraph is no long word. `last` is the last codepoint that is not whitespace (0: none; the
    line is blank), `num_dots` how many full stops end the line. Words are those of `unicode_classes`; `num_uppercase`
    counts characters that have a lowercase.
    """

    num_characters: np.int64
    num_words: int
    num_uppercase: int
    num_digits: int
    num_whitespace: int
    longest: np.int64
    last: np.int64
    num_dots: np.int64


def line_edits(text: pa.LargeStringArray, rules: LineRules) -> tuple[Edits, np.ndarray]:
    """A cut for each line that breaks a rule, with its line feed, and int64[2, texts]: words of the lines that came as
    far as RefinedWeb's rules, and of those that these cut; 0 where none of them is on. Blank lines break no rule."""
    data, offsets = text_buffers(text)
    tables = unicode_classes()
    num_words = np.zeros((2, len(text)), np.int64)
    edit_offsets = np.empty(len(offsets), np.int64)
    # Where each line may be cut, as many as there can be: each has a byte and mostly a line feed. Memory that none
    # reaches is reserved, never touched.
    capacity = (offsets[-1] - offsets[0]) // 2 + len(offsets) if rules.enabled[SHORT:].any() else 1024
    while True:
        lines = np.empty((3, capacity), np.int64)
        num_words[:] = 0
        arguments = (data, offsets, tables.classes, tables.lower, phrase_table(), _counted(), rules)
        if _cut_lines(*arguments, lines, edit_offsets, num_words):
            break
        capacity *= 8  # more lines are cut than that: rare, and done again
    starts, ends, cut_by = lines[:, : edit_offsets[-1]]
    origins = np.repeat(offsets[:-1], np.diff(edit_offsets))
    return cuts(edit_offsets, starts - origins, ends - origins, cut_by.astype(np.int8)), num_words


def _counted() -> tuple[np.ndarray, np.ndarray]:
    """`COUNTED` one after another, and their offsets."""
    offsets = np.cumsum([0, *map(len, COUNTED)], dtype=np.int64)
    return np.frombuffer(b"".join(COUNTED), np.uint8), read_only(offsets)


@kernel
def _cut_lines(data, offsets, classes, lower, phrases, counted, rules, lines, edit_offsets, num_words):
    """Fills in the cuts: `lines` int64[3, capacity] (start, end, rule), positions in `data`. Returns False where they
    do not fit.

    Where rules only ask for phrases and long words, the lines without either are never looked at.
    """
    enabled = rules.enabled
    asks_every_line = False
    for rule in range(SHORT, ONE_WORD + 1):
        asks_every_line |= enabled[rule]
    count = 0
    edit_offsets[0] = 0
    for document in range(len(offsets) - 1):
        start, stop = offsets[document], offsets[document + 1]
        phrase, phrase_rule = next_phrase(data, start, stop, phrases, enabled)
        line_of_phrase = _line_start(data, start, phrase) if phrase < stop else stop
        while start < stop:
            if not asks_every_line:
                if enabled[LONG_WORD]:
                    start = _next_long_line(data, start, line_of_phrase, rules.max_word_characters)
                else:
                    start = line_of_phrase
                if start == stop:
                    break
            end = line_end(data, start, stop)
            rule = len(RULES)
            if phrase < end:
                while phrase < end:
                    rule = min(rule, phrase_rule)
                    phrase, phrase_rule = next_phrase(data, phrase + 1, stop, phrases, enabled)
                line_of_phrase = _line_start(data, end, phrase) if phrase < stop else stop
            if rule == len(RULES):
                rule = _judge(data, start, end, classes, lower, counted, rules, num_words[:, document])
            after = min(end + 1, stop)
            if rule < len(RULES):
                if count == lines.shape[1]:
                    return False
                lines[0, count], lines[1, count], lines[2, count] = start, after, rule
                count += 1
            start = after
        edit_offsets[document + 1] = count
    return True


@kernel
def _line_start(data, origin, position):
    while position > origin and data[position - 1] != _LINE_FEED:
        position -= 1
    return position


@kernel
def _next_long_line(data, start, stop, max_bytes):
    """The start of the first line of more bytes in [start, stop), where a line starts and one ends; `stop` if there is
    none. Looks at few bytes: one line feed anywhere in a stretch of `max_bytes` is enough to go on from."""
    while start + max_bytes < stop:
        position = start + max_bytes
        while position >= start and data[position] != _LINE_FEED:
            position -= 1
        if position < start:
            return start
        start = position + 1
    return stop


@kernel
def _judge(data, start, end, classes, lower, counted, rules, num_words):
    """The first enabled rule about its shape that the line breaks; len(RULES) if none. Adds up `num_words`."""
    enabled = rules.enabled
    line = measure_line(data, start, end, classes, lower)
    if line.last == 0:
        return len(RULES)
    if enabled[LONG_WORD] and line.longest > rules.max_word_characters:
        return LONG_WORD
    if enabled[SHORT] and line.num_words < rules.min_words:
        return SHORT
    if enabled[NO_TERMINAL_PUNCTUATION] and not _ends_sentence(line):
        return NO_TERMINAL_PUNCTUATION
    if not (enabled[UPPERCASE] or enabled[DIGITS] or enabled[COUNTER] or enabled[ONE_WORD]):
        return len(RULES)
    rule = len(RULES)
    if enabled[UPPERCASE] and line.num_uppercase > rules.max_uppercase_share * line.num_characters:
        rule = UPPERCASE
    elif enabled[DIGITS] and line.num_digits == line.num_characters - line.num_whitespace:
        rule = DIGITS
    elif enabled[COUNTER] and _is_counter(data, start, end, classes, counted):
        rule = COUNTER
    elif enabled[ONE_WORD] and line.num_words < rules.refinedweb_min_words:
        rule = ONE_WORD
    num_words[0] += line.num_words
    if rule < len(RULES):
        num_words[1] += line.num_words
    return rule


@kernel
def _ends_sentence(line):
    if line.num_dots >= 3:  # C4's code takes an ellipsis for no end of a sentence
        return False
    for mark in TERMINAL_PUNCTUATION:  # noqa: SIM110 -- numba knows no `any`
        if line.last == mark:
            return True
    return False


@kernel
def measure_line(data, start, end, classes, lower):
    """ASCII is taken up to BLOCK bytes at a time, the rest character by character."""
    num_characters, num_words, num_uppercase, num_digits, num_whitespace = np.int64(0), 0, 0, 0, 0
    longest, run = np.int64(0), np.int64(0)  # characters before the run without whitespace
    inside, unspaced = False, False  # a word
    position = start
    while position < end:
        num_ascii = _num_ascii(data, position, end)
        if num_ascii >= _FEW:
            here = first_bits(num_ascii)
            digits = digits_of_block(data, position) & here
            words = letters_of_block(data, position) & here | digits
            whitespace = whitespace_of_block(data, position) & here
            num_words += num_bits(words & ~(words << np.uint64(1) | np.uint64(inside and not unspaced)))
            inside, unspaced = words >> np.uint64(num_ascii - 1) != 0, False
            num_uppercase += num_bits(capitals_of_block(data, position) & here)
            num_digits += num_bits(digits)
            num_whitespace += num_bits(whitespace)
            while whitespace != 0:
                at = num_characters + lowest_bit(whitespace)
                longest = max(longest, at - run)
                run = at + 1
                whitespace &= whitespace - np.uint64(1)
            num_characters += num_ascii
            position += num_ascii
            continue
        codepoint, position = decode(data, position, end)
        kind = classes[codepoint]
        if kind & WHITESPACE != 0:
            num_whitespace += 1
            longest = max(longest, num_characters - run)
            num_characters += 1
            run = num_characters
            inside = False
            continue
        if kind & SINGLE != 0:
            longest = max(longest, num_characters - run)
            run = num_characters
        num_characters += 1
        if kind & WORD == 0:
            inside = False
            continue
        num_uppercase += lower[codepoint] != codepoint
        num_digits += kind & DIGIT != 0
        if kind & SINGLE != 0 or not inside or (unspaced and kind & MARK == 0):
            num_words += 1
            inside = True
            unspaced = kind & SINGLE != 0
    longest = max(longest, num_characters - run)
    last, num_dots = np.int64(0), np.int64(0)
    if num_whitespace < num_characters:
        last, num_dots = _last_characters(data, start, end, classes)
    return Line(num_characters, num_words, num_uppercase, num_digits, num_whitespace, longest, last, num_dots)


@kernel
def _num_ascii(data, position, end):
    """Bytes of ASCII from `position` on, BLOCK at most; 0 where that would be to look beyond the data."""
    if data[position] >= 0x80 or position + BLOCK > len(data):
        return np.int64(0)
    mask = non_ascii_of_block(data, position)
    return min(lowest_bit(mask) if mask != 0 else BLOCK, end - position)


@kernel
def _last_characters(data, start, end, classes):
    """(the last codepoint that is not whitespace, full stops that end with it) of a line that is not blank."""
    while True:
        position = end - 1
        while position > start and data[position] & 0xC0 == 0x80:
            position -= 1
        codepoint = decode(data, position, end)[0]
        if classes[codepoint] & WHITESPACE == 0 or position == start:
            break
        end = position
    first = end
    while first > start and data[first - 1] == _FULL_STOP:
        first -= 1
    return np.int64(codepoint), end - first


@kernel
def _is_counter(data, position, end, classes, counted):
    """Whether the line says a number and what it counts, and nothing else: "3 likes", "1.2K shares"."""
    position = _skip_symbols(data, position, end, classes)
    if position == end or not 0x30 <= data[position] <= 0x39:
        return False
    while position < end and (0x30 <= data[position] <= 0x39 or data[position] == 0x2C or data[position] == 0x2E):
        position += 1
    if position < end and (
        data[position] | 0x20 == 0x6B or data[position] | 0x20 == 0x6D or data[position] | 0x20 == 0x62
    ):
        position += 1  # thousands, millions, billions: k, m, b
    spaces = position
    while position < end and (data[position] == 0x20 or data[position] == 0x09):
        position += 1
    if position == spaces:
        return False
    names, offsets = counted
    for i in range(len(offsets) - 1):
        after = position + offsets[i + 1] - offsets[i]
        if after <= end and stands_at(data, position, names, offsets[i], offsets[i + 1]):
            if after < end and data[after] | 0x20 == 0x73:  # s
                after += 1
            return _skip_symbols(data, after, end, classes) == end
    return False


@kernel
def _skip_symbols(data, position, end, classes):
    """The first position from `position` on with a letter, mark or digit, or `end`."""
    while position < end:
        codepoint, after = decode(data, position, end)
        if classes[codepoint] & WORD != 0:
            return position
        position = after
    return position
