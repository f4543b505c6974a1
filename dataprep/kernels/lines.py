"""Statistics of lines, paragraphs, sentences and symbols, in one walk over the bytes.

A **line** ends at a line feed. What counts of it is what stands between the whitespace at its two ends; one of nothing
but whitespace is blank and counts for nothing. A **paragraph** is what stands between blank lines: one line or more.

A **sentence** ends at a mark with the property Sentence_Terminal, in any script. `.`, `!` and `?` end one only where
whitespace or the end of the text follows, after any more marks, closing brackets and quotation marks: so `3.14` and
`a.b()` end none. Between the end of one and that of the next there must be a letter: so `1.` and `...` are none, and
text that no mark ends is none. An abbreviation ends one: `e.g. this.` is taken for two.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.duplicates import count_repeats, table_bits
from dataprep.kernels.mixing import PRIME_1, PRIME_5, avalanche, mix_in
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import CLOSING, LETTER, SENTENCE_END, WHITESPACE, unicode_classes
from dataprep.kernels.utf8 import decode

# Rae et al. 2021 give no list of bullets. datatrove takes U+2022, others add hyphen and asterisk, and the rest are
# the Unicode characters named BULLET that stand at lines, and the small squares that browsers draw for lists.
BULLETS = tuple(ord(c) for c in "-*•‣⁃◦▪▫")

SHORT_LINE_CHARACTERS = 30
"""A line of fewer is short (Penedo et al. 2024)."""

_LINE_FEED = 0x0A
_HASH = 0x23
_FULL_STOP = 0x2E
_CURLY_BRACKET = 0x7B
_ELLIPSIS = 0x2026  # HORIZONTAL ELLIPSIS

_STOP = 0x80  # in the table by byte: the walk must look at this one


@dataclass(frozen=True)
class LineStatistics:
    """int64[documents] each; characters are codepoints.

    `num_characters` of the text and `num_newlines` in it; `num_lines` that are not blank and `num_line_characters`,
    theirs. Of the lines, `num_bullet_lines` start with a bullet, `num_ellipsis_lines` end in "…" or "...",
    `num_punctuated_lines` end in a mark that ends sentences, `num_short_lines` have fewer than
    `SHORT_LINE_CHARACTERS`, `num_duplicate_lines` equal an earlier one (`num_duplicate_line_characters`, theirs).
    `num_paragraphs`, of which `num_duplicate_paragraphs` have the lines of an earlier one
    (`num_duplicate_paragraph_characters`, those of their lines). `num_sentences`; `num_hashes` "#"; `num_ellipses`
    "…" and "..." (not overlapping: six dots are two); `num_curly_brackets` "{".

    Lines are compared by a 64-bit hash: two different ones of a million in a document pass for the same with
    probability 3e-8.
    """

    num_characters: np.ndarray
    num_newlines: np.ndarray
    num_lines: np.ndarray
    num_line_characters: np.ndarray
    num_bullet_lines: np.ndarray
    num_ellipsis_lines: np.ndarray
    num_punctuated_lines: np.ndarray
    num_short_lines: np.ndarray
    num_duplicate_lines: np.ndarray
    num_duplicate_line_characters: np.ndarray
    num_paragraphs: np.ndarray
    num_duplicate_paragraphs: np.ndarray
    num_duplicate_paragraph_characters: np.ndarray
    num_sentences: np.ndarray
    num_hashes: np.ndarray
    num_ellipses: np.ndarray
    num_curly_brackets: np.ndarray


COLUMNS = tuple(LineStatistics.__annotations__)

# Rows of the kernel's output, as `COLUMNS`.
(
    _CHARACTERS,
    _NEWLINES,
    _LINES,
    _LINE_CHARACTERS,
    _BULLET_LINES,
    _ELLIPSIS_LINES,
    _PUNCTUATED_LINES,
    _SHORT_LINES,
    _DUPLICATE_LINES,
    _DUPLICATE_LINE_CHARACTERS,
    _PARAGRAPHS,
    _DUPLICATE_PARAGRAPHS,
    _DUPLICATE_PARAGRAPH_CHARACTERS,
    _SENTENCES,
    _HASHES,
    _ELLIPSES,
    _CURLY_BRACKETS,
) = range(len(COLUMNS))


def line_statistics(text: pa.LargeStringArray) -> LineStatistics:
    """The counts for each text."""
    data, offsets = text_buffers(text)
    counts = np.zeros((len(COLUMNS), len(text)), np.int64)
    _count(data, offsets, unicode_classes().classes, counts)
    return LineStatistics(*counts)


@kernel
def _count(data, offsets, classes, counts):
    by_byte = classes[:256].copy()  # what the walk need not look at is in ASCII, with its class
    for byte in range(256):
        if byte >= 0x80 or by_byte[byte] & SENTENCE_END or byte in (_LINE_FEED, _HASH, _CURLY_BRACKET):
            by_byte[byte] |= _STOP
    most_lines = _most_lines(offsets)
    table = np.empty(1 << table_bits(most_lines), np.int32)
    lines = np.empty(most_lines, np.uint64), np.empty(most_lines, np.int64)
    paragraphs = np.empty(most_lines, np.uint64), np.empty(most_lines, np.int64)
    row = np.zeros(len(COLUMNS), np.int64)
    for document in range(len(offsets) - 1):
        row[:] = 0
        _walk(data, offsets[document], offsets[document + 1], classes, by_byte, lines, paragraphs, row)
        repeats, size = count_repeats(table, lines[0], lines[1], row[_LINES])
        row[_DUPLICATE_LINES], row[_DUPLICATE_LINE_CHARACTERS] = repeats, size
        repeats, size = count_repeats(table, paragraphs[0], paragraphs[1], row[_PARAGRAPHS])
        row[_DUPLICATE_PARAGRAPHS], row[_DUPLICATE_PARAGRAPH_CHARACTERS] = repeats, size
        for column in range(len(COLUMNS)):
            counts[column, document] = row[column]


@kernel
def _most_lines(offsets):
    """That a text can have which are not blank: a byte and a line feed each. Memory that no line reaches is reserved,
    never touched."""
    longest = 0
    for document in range(len(offsets) - 1):
        longest = max(longest, offsets[document + 1] - offsets[document])
    return longest // 2 + 1


@kernel
def _walk(data, position, end, classes, by_byte, lines, paragraphs, row):
    """Fills in the row of one text and the hashes and characters of its lines and paragraphs."""
    row[_CHARACTERS] = end - position
    has_letter = np.bool_(False)  # since the end of the last sentence
    state = PRIME_5  # of the paragraph
    paragraph_characters = 0
    num_lines, num_paragraphs = 0, 0
    while position < end:
        start, skipped = _skip_whitespace(data, position, end, classes)
        position, tails, has_letter = _walk_line(data, start, end, classes, by_byte, has_letter, row)
        row[_CHARACTERS] -= skipped + tails
        if position > start:  # at a line feed or at the end of the text, and not blank
            stop, last, skipped = _skip_whitespace_back(data, start, position, classes)
            characters = stop - start - (tails - skipped)
            _look_at_ends(data, start, stop, last, classes, row)
            row[_LINE_CHARACTERS] += characters
            row[_SHORT_LINES] += characters < SHORT_LINE_CHARACTERS
            key = _hash(data, start, stop)
            lines[0][num_lines], lines[1][num_lines] = key, characters
            num_lines += 1
            state = mix_in(state, key)
            paragraph_characters += characters
        is_blank = position == start
        row[_NEWLINES] += position < end
        position += 1
        if paragraph_characters > 0 and (is_blank or position >= end):
            paragraphs[0][num_paragraphs], paragraphs[1][num_paragraphs] = state, paragraph_characters
            num_paragraphs += 1
            state = PRIME_5
            paragraph_characters = 0
    row[_LINES], row[_PARAGRAPHS] = num_lines, num_paragraphs


@kernel
def _walk_line(data, position, end, classes, by_byte, has_letter, row):
    """Counts symbols and sentences up to a line feed or the end of the text; (where that is, bytes beyond the first of
    its characters, whether a letter came after the last sentence)."""
    seen = np.uint8(LETTER) if has_letter else np.uint8(0)
    tails = 0
    looked_until = position  # whether a sentence ends is known of the marks before
    while position < end:
        kind = by_byte[data[position]]
        while kind & _STOP == 0:
            seen |= kind
            position += 1
            if position == end:
                return position, tails, seen & LETTER != 0
            kind = by_byte[data[position]]
        byte = data[position]
        if byte >= 0x80:
            codepoint, after = decode(data, position, end)
            kind = classes[codepoint]
            tails += after - position - 1
            position = after
            row[_ELLIPSES] += codepoint == _ELLIPSIS
            if kind & SENTENCE_END and seen & LETTER:
                row[_SENTENCES] += 1
                seen = np.uint8(0)
            seen |= kind
        elif byte == _LINE_FEED:
            break
        elif kind & SENTENCE_END:
            if seen & LETTER and position >= looked_until:
                looked_until, ends = _look_after_mark(data, position, end, classes)
                if ends:
                    row[_SENTENCES] += 1
                    seen = np.uint8(0)
            first = position
            while position < end and data[position] == _FULL_STOP:
                position += 1
            row[_ELLIPSES] += (position - first) // 3
            position += byte != _FULL_STOP
        else:
            row[_HASHES] += byte == _HASH
            row[_CURLY_BRACKETS] += byte == _CURLY_BRACKET
            position += 1
    return position, tails, seen & LETTER != 0


@kernel
def _look_after_mark(data, position, end, classes):
    """(where the marks and what closes after them stop, whether whitespace or the end of the text is there)."""
    while position < end:
        codepoint, after = decode(data, position, end)
        if classes[codepoint] & (SENTENCE_END | CLOSING) == 0:
            return position, classes[codepoint] & WHITESPACE != 0
        position = after
    return position, True


@kernel
def _skip_whitespace(data, position, end, classes):
    """(the first position of a line feed, of another character than whitespace, or the end; bytes beyond the first of
    the characters skipped)."""
    tails = 0
    while position < end and data[position] != _LINE_FEED:
        codepoint, after = decode(data, position, end)
        if classes[codepoint] & WHITESPACE == 0:
            break
        tails += after - position - 1
        position = after
    return position, tails


@kernel
def _skip_whitespace_back(data, start, position, classes):
    """Where the whitespace at the end of a line begins; the last character before; bytes beyond the first of the
    characters skipped. Something else than whitespace stands at `start`."""
    tails = 0
    while True:
        first = position - 1
        while first > start and data[first] & 0xC0 == 0x80 and position - first < 4:
            first -= 1
        codepoint, after = decode(data, first, position)
        if after != position:  # no UTF-8: one byte a character
            return position, np.uint32(0), tails
        if classes[codepoint] & WHITESPACE == 0:
            return position, codepoint, tails
        tails += position - first - 1
        position = first


@kernel
def _look_at_ends(data, start, stop, last, classes, row):
    """Counts the line [start, stop) by its first character and by the `last`."""
    first = data[start]
    if first >= 0x80 or classes[first] & LETTER == 0:
        codepoint, _ = decode(data, start, stop)
        for bullet in BULLETS:
            row[_BULLET_LINES] += codepoint == bullet
    row[_PUNCTUATED_LINES] += classes[last] & SENTENCE_END != 0
    if last == _ELLIPSIS:
        row[_ELLIPSIS_LINES] += 1
    elif last == _FULL_STOP and stop - start >= 3:
        row[_ELLIPSIS_LINES] += data[stop - 2] == _FULL_STOP and data[stop - 3] == _FULL_STOP


@kernel
def _hash(data, start, stop):
    """Of the bytes [start, stop): XXH64's round for each eight, its avalanche at the end."""
    state = PRIME_5 + np.uint64(stop - start) * PRIME_1
    position = start
    while position + 8 <= stop:
        value = np.uint64(0)
        for i in range(8):
            value |= np.uint64(data[position + i]) << np.uint64(8 * i)
        state = mix_in(state, value)
        position += 8
    value = np.uint64(0)
    while position < stop:
        value = value << np.uint64(8) | np.uint64(data[position])
        position += 1
    return avalanche(mix_in(state, value))
