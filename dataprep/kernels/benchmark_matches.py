"""N-grams of documents beside n-grams of evaluation texts: those that differ in a few words, and whether the words are
the same indeed.

A window of n words that differs from another in at most k of them has a run of at least (n - k) / (k + 1) words in
common (they lie in k + 1 runs): such runs are found by their hash, and the words on either side are compared.
"""

from typing import NamedTuple

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.place_tables import Found, PlaceTable
from dataprep.kernels.word_spans import WordSpans, same_word
from dataprep.kernels.words import Words

REFUSED = -1


class Matches(NamedTuple):
    """Windows of documents: the document's row, the number of the window's first word in it, and the place of the same
    words among those of the evaluation texts (int64)."""

    documents: np.ndarray
    positions: np.ndarray
    places: np.ndarray


def seed_words(length: int, max_changed: int) -> int:
    """The least length of the longest run of equal words in a window of `length`, `max_changed` of which differ."""
    return -(-(length - max_changed) // (max_changed + 1))


def changed_matches(
    documents: Words,
    seeds: Found,
    table: PlaceTable,
    words: np.ndarray,
    ngram_of: np.ndarray,
    num_long: int,
    length: int,
    max_changed: int,
) -> Matches:
    """Windows of `length` words in which 1 to `max_changed` differ from those of evaluation texts, by their hashes.

    `seeds` are what `find_ngrams` found of runs of `seed_words`; `words` (uint64) are those of all evaluation texts; a
    window may begin where `ngram_of` (int32[words]) is from 0 to below `num_long`. It stands here once for each run.
    """
    room = 1024
    while True:
        found = Matches(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))
        beside = (read_only(documents.offsets), read_only(documents.hashes), read_only(words), read_only(ngram_of))
        sizes = (num_long, length, seed_words(length, max_changed), max_changed)
        count = _changed_matches(Found(*map(read_only, seeds)), table, beside, sizes, found)
        if count <= room:
            return Matches(*(values[:count] for values in found))
        room = count


def count_changed(
    matches: Matches, lengths: np.ndarray, texts: WordSpans, evaluation: WordSpans, lower: np.ndarray, most: np.ndarray
) -> np.ndarray:
    """int64[matches]: in how many of its `lengths` words each differs from the evaluation text, in lower case, letter
    by letter; `REFUSED` where these are more than `most`, or either side has fewer words: a hash was wrong.

    `documents` of the matches are rows of `texts`, their places number the words of `evaluation`.
    """
    changed = np.empty(len(matches.documents), np.int64)
    sizes = (read_only(lengths.astype(np.int64)), read_only(most.astype(np.int64)))
    _count_changed(Matches(*map(read_only, matches)), sizes, texts, evaluation, lower, changed)
    return changed


@kernel
def _changed_matches(seeds, table, beside, sizes, found):
    """How many there are; those for which there is no room are counted only."""
    offsets, document_words, words, ngram_of = beside
    num_long, length, seed, max_changed = sizes
    reach = length - seed  # words that a window may have on either side of a seed
    same = np.zeros(2 * length, np.uint8)  # of the words around a seed, from `reach` before its first
    count, room = 0, len(found.places)
    for at in range(len(seeds.keys)):
        row, position = seeds.documents[at], seeds.positions[at]
        first, stop = offsets[row], offsets[row + 1]
        begin = first + position
        for i in range(table.offsets[seeds.keys[at]], table.offsets[seeds.keys[at] + 1]):
            place = table.places[i]
            # How far a window may go on either side before more than `max_changed` words differ.
            left, differ = 0, 0
            while left < reach and begin - left - 1 >= first and place - left - 1 >= 0:
                is_same = document_words[begin - left - 1] == words[place - left - 1]
                differ += not is_same
                if differ > max_changed:
                    break
                same[reach - left - 1] = is_same
                left += 1
            right, differ = 0, 0
            after, place_after = begin + seed, place + seed
            while right < reach and after + right < stop and place_after + right < len(words):
                is_same = document_words[after + right] == words[place_after + right]
                differ += not is_same
                if differ > max_changed:
                    break
                same[reach + seed + right] = is_same
                right += 1
            if left + seed + right < length:
                continue
            same[reach : reach + seed] = 1
            for shift in range(-left, right + seed - length + 1):
                if shift > 0 or ngram_of[place + shift] < 0 or ngram_of[place + shift] >= num_long:
                    continue
                num_changed = 0
                for k in range(length):
                    num_changed += same[reach + shift + k] == 0
                if 0 < num_changed <= max_changed:
                    if count < room:
                        found.documents[count] = row
                        found.positions[count] = position + shift
                        found.places[count] = place + shift
                    count += 1
    return count


@kernel
def _count_changed(matches, sizes, texts, evaluation, lower, changed):
    lengths, most = sizes
    for i in range(len(changed)):
        row = matches.documents[i]
        begin, place = texts.offsets[row] + matches.positions[i], matches.places[i]
        if begin + lengths[i] > texts.offsets[row + 1] or place + lengths[i] > len(evaluation.starts):
            changed[i] = REFUSED
            continue
        differ = 0
        for k in range(lengths[i]):
            a, b = begin + k, place + k
            differ += not same_word(
                texts.data, texts.starts[a], texts.ends[a],
                evaluation.data, evaluation.starts[b], evaluation.ends[b], lower,
            )  # fmt: skip
        changed[i] = differ if differ <= most[i] else REFUSED
