"""Phrases of navigation that are edited out of short lines: RefinedWeb's fifth rule about lines.

Penedo et al. 2023, appendix G.2: a line that is short (at most 10 words) and matches a pattern at its beginning
("sign-in"), at its end ("Read more...") or anywhere ("items in cart") is edited. The paper gives these three examples
and no list; as in DCLM's reimplementation (Li et al. 2024, `substring_line_modifier`) ASCII letters match in any case
and blanks beside a phrase go with it. Unlike there, a phrase is whole words: "sign-ins" has none.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dataprep.kernels.ascii_case import stands_at
from dataprep.kernels.blocks import line_end
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edit_rules import NAVIGATION_PHRASE
from dataprep.kernels.edits import Edits, cuts, read_only
from dataprep.kernels.line_rules import measure_line
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import MARK, SINGLE, WHITESPACE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode

START, INNER, END = np.int64(0), np.int64(1), np.int64(2)  # numba compiles anew for each literal that it is given
"""Where in a line a phrase is looked for."""

_LINE_FEED = 0x0A


class LinePhrases(NamedTuple):
    """Phrases one after another (uint8, ASCII letters small) and their offsets (int64[phrases + 1]): those of place p
    are [firsts[p], firsts[p + 1]) of them. Lines of more words are left alone."""

    data: np.ndarray
    offsets: np.ndarray
    firsts: np.ndarray
    max_words: int

    def each(self) -> list[bytes]:
        return [self.data[start:end].tobytes() for start, end in pairwise(self.offsets.tolist())]


def line_phrases(start: tuple[str, ...], inner: tuple[str, ...], end: tuple[str, ...], max_words: int) -> LinePhrases:
    """As the kernel takes them. Of several that match at one place the first goes."""
    groups = [[phrase.encode().lower() for phrase in phrases] for phrases in (start, inner, end)]  # ASCII only
    phrases = [phrase for group in groups for phrase in group]
    offsets = np.cumsum([0, *map(len, phrases)], dtype=np.int64)
    firsts = np.cumsum([0, *map(len, groups)], dtype=np.int64)
    data = np.frombuffer(b"".join(phrases), np.uint8)
    return LinePhrases(read_only(data), read_only(offsets), read_only(firsts), max_words)


def phrase_edits(text: pa.LargeStringArray, phrases: LinePhrases) -> tuple[Edits, np.ndarray]:
    """A cut for each phrase found, and int64[texts]: the words in them. A line of which nothing is left goes with its
    line feed. What is left may hold a phrase that was in two parts: done again until nothing is found, all are gone.
    """
    data, offsets = text_buffers(text)
    tables = unicode_classes()
    places = _occurrences(data, offsets, phrases)
    rows = np.searchsorted(offsets, places, side="right") - 1
    counts = np.zeros((2, len(text)), np.int64)  # edits, words
    capacity = 256
    while True:
        spans = np.empty((2, capacity), np.int64)
        counts[:] = 0
        if _cut_in_lines(data, offsets, places, rows, tables.classes, tables.lower, phrases, spans, counts):
            break
        capacity *= 8  # more is cut than that: rare, and done again
    edit_offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts[0])))
    starts, ends = spans[:, : edit_offsets[-1]]
    origins = np.repeat(offsets[:-1], counts[0])
    rules = np.full(len(starts), NAVIGATION_PHRASE, np.int8)
    return cuts(edit_offsets, starts - origins, ends - origins, rules), counts[1]


def _occurrences(data: np.ndarray, offsets: np.ndarray, phrases: LinePhrases) -> np.ndarray:
    """int64: where in `data` phrases stand, in any place of a line and as parts of words, ascending. Few lines have
    one, and a search for bytes is the fastest way to leave out the others."""
    origin = int(offsets[0])
    lowered = data[origin : offsets[-1]].tobytes().lower()
    found = []
    for phrase in phrases.each():
        at = lowered.find(phrase)
        while at >= 0:
            found.append(origin + at)
            at = lowered.find(phrase, at + 1)
    return np.unique(np.array(found, np.int64))


@kernel
def _cut_in_lines(data, offsets, places, rows, classes, lower, phrases, spans, counts):
    """Fills in the cuts of the lines that `places` (int64, of the texts `rows`) lie in, positions in `data`, and
    `counts` int64[2, texts]: cuts and words cut. Returns False where they do not fit."""
    count = np.int64(0)
    after = np.int64(0)  # the end of the line before
    for i in range(len(places)):
        if places[i] < after:
            continue
        row = rows[i]
        start, stop = places[i], offsets[row + 1]
        while start > offsets[row] and data[start - 1] != _LINE_FEED:
            start -= 1
        end = line_end(data, start, stop)
        after = min(end + 1, stop)
        found = _find(data, start, end, classes, phrases, spans, count)
        if found < 0:
            return False
        if found == count or measure_line(data, start, end, classes, lower).num_words > phrases.max_words:
            continue
        for cut in range(count, found):
            counts[1, row] += measure_line(data, spans[0, cut], spans[1, cut], classes, lower).num_words
        if _nothing_is_left(data, start, end, classes, spans, count, found):
            spans[0, count], spans[1, count] = start, after
            found = count + 1
        counts[0, row] += found - count
        count = found
    return True


@kernel
def _find(data, start, end, classes, phrases, spans, count):
    """Puts the cuts of one line behind the first `count`; how many there are then, -1 where they do not fit."""
    begin = _after_blanks(data, start, end, classes)
    length = _match(data, begin, end, begin, classes, phrases, START)
    if length > 0:
        if count == spans.shape[1]:
            return -1
        spans[0, count] = begin
        begin = _after_blanks(data, begin + length, end, classes)
        spans[1, count] = begin
        count += 1
    finish = _start_of_end(data, begin, end, classes, phrases)
    last = begin  # the end of the cut before
    position = begin
    while position < finish:
        length = _match(data, position, finish, begin, classes, phrases, INNER)
        if length == 0:
            position += 1
            continue
        if count == spans.shape[1]:
            return -1
        after = _after_blanks(data, position + length, finish, classes)
        spans[0, count] = _before_blanks(data, last, position, classes) if after == finish else position
        spans[1, count] = after
        count += 1
        position = last = after
    if finish < end:
        if count == spans.shape[1]:
            return -1
        spans[0, count], spans[1, count] = finish, end
        count += 1
    return count


@kernel
def _start_of_end(data, begin, end, classes, phrases):
    """Where the phrase at the end of [begin, end) starts, with the blanks before it; `end` if there is none."""
    for i in range(phrases.firsts[END], phrases.firsts[END + 1]):
        first, last = phrases.offsets[i], phrases.offsets[i + 1]
        start = end - (last - first)
        if start < begin or not stands_at(data, start, phrases.data, first, last):
            continue
        if start == begin or _parts(data, begin, start, end, classes):
            return _before_blanks(data, begin, start, classes)
    return end


@kernel
def _match(data, position, end, begin, classes, phrases, place):
    """Bytes of the first phrase of `place` that stands at `position` as whole words; 0: none does."""
    for i in range(phrases.firsts[place], phrases.firsts[place + 1]):
        first, last = phrases.offsets[i], phrases.offsets[i + 1]
        after = position + last - first
        if after > end or not stands_at(data, position, phrases.data, first, last):
            continue
        opens = position == begin or _parts(data, begin, position, end, classes)
        if opens and (after == end or _parts(data, begin, after, end, classes)):
            return after - position
    return 0


@kernel
def _parts(data, begin, position, end, classes):
    """Whether no word goes over `position`, which lies between two characters of [begin, end)."""
    after = classes[decode(data, position, end)[0]]
    if after & MARK != 0:
        return False
    before = classes[decode(data, _previous(data, begin, position), position)[0]]
    return before & WORD == 0 or after & WORD == 0 or (before | after) & SINGLE != 0


@kernel
def _previous(data, begin, position):
    """Where the character before `position` starts."""
    position -= 1
    while position > begin and data[position] & 0xC0 == 0x80:
        position -= 1
    return position


@kernel
def _after_blanks(data, position, end, classes):
    """The first position from `position` on without whitespace; `position` where a mark follows: it stays on its
    blank."""
    at = position
    while at < end:
        codepoint, after = decode(data, at, end)
        if classes[codepoint] & WHITESPACE == 0:
            return position if classes[codepoint] & MARK != 0 else at
        at = after
    return end


@kernel
def _before_blanks(data, begin, position, classes):
    while position > begin:
        at = _previous(data, begin, position)
        if classes[decode(data, at, position)[0]] & WHITESPACE == 0:
            break
        position = at
    return position


@kernel
def _nothing_is_left(data, start, end, classes, spans, first, stop):
    """Whether a line is blank but for its cuts."""
    position = start
    for cut in range(first, stop):
        if _after_blanks(data, position, spans[0, cut], classes) < spans[0, cut]:
            return False
        position = spans[1, cut]
    return _after_blanks(data, position, end, classes) == end
