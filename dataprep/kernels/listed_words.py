"""How often words and phrases of a list occur, over `Words`: a list for each language, looked up by hashes."""

from dataclasses import dataclass

import numpy as np

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_5, avalanche, mix_in
from dataprep.kernels.words import Words

MAX_ENTRY_WORDS = 4
"""Words of an entry: in scripts written without spaces each letter is one."""

_FILTER_BITS = 16  # 64 KiB a list: spares nearly every word the search
_MASK = np.uint64((1 << _FILTER_BITS) - 1)
_STARTS_ENTRY = 1


@dataclass(frozen=True)
class WordLists:
    """Lists of entries of one to `MAX_ENTRY_WORDS` words.

    `starts` uint8[lists, 65536]: which low bits the hash of an entry's first word has; `entries` uint64: hashes of
    entries, ascending within each list; `offsets` int64[lists + 1] into them.
    """

    starts: np.ndarray
    entries: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, lists: list[list[Words]]) -> "WordLists":
        """Each list as its files: the words of the entries, one entry a document of 1 to `MAX_ENTRY_WORDS` words."""
        starts = np.zeros((len(lists), 1 << _FILTER_BITS), np.uint8)
        entries = []
        for number, files in enumerate(lists):
            hashes = [np.empty(words.num_documents, np.uint64) for words in files]
            for words, of_file in zip(files, hashes, strict=True):
                _hash_entries(words.offsets, words.hashes, of_file, starts[number])
            entries.append(np.unique(np.concatenate([np.empty(0, np.uint64), *hashes])))
        offsets = np.cumsum([0] + [len(hashes) for hashes in entries], dtype=np.int64)
        return cls(starts, np.concatenate([np.empty(0, np.uint64), *entries]), offsets)


def count_listed(words: Words, lists: WordLists, chosen: np.ndarray) -> np.ndarray:
    """int64[documents]: occurrences in each document of entries of list number `chosen` (int64; -1: of none). Where
    several entries start at one word the longest counts, and the next is looked for after it."""
    counts = np.empty(words.num_documents, np.int64)
    _count(words.offsets, words.hashes, chosen, lists.starts, lists.entries, lists.offsets, counts)
    return counts


@kernel
def _hash_entries(offsets, word_hashes, hashes, starts):
    for entry in range(len(offsets) - 1):
        state = PRIME_5
        for i in range(offsets[entry], offsets[entry + 1]):
            state = mix_in(state, word_hashes[i])
        hashes[entry] = avalanche(state)
        starts[word_hashes[offsets[entry]] & _MASK] = _STARTS_ENTRY


@kernel
def _count(offsets, hashes, chosen, starts, entries, entry_offsets, counts):
    for document in range(len(offsets) - 1):
        counts[document] = 0
        number = chosen[document]
        if number < 0:
            continue
        first, last = entry_offsets[number], entry_offsets[number + 1]
        i = offsets[document]
        while i < offsets[document + 1]:
            step = 1
            if starts[number, hashes[i] & _MASK] != 0:
                length = _longest_entry(hashes, i, offsets[document + 1], entries[first:last])
                counts[document] += length > 0
                step = max(length, 1)
            i += step


@kernel
def _longest_entry(hashes, start, end, entries):
    """Words of the longest entry at word `start`; 0: of none."""
    longest = 0
    state = PRIME_5
    for length in range(1, MAX_ENTRY_WORDS + 1):
        if start + length > end:
            break
        state = mix_in(state, hashes[start + length - 1])
        wanted = avalanche(state)
        at = np.searchsorted(entries, wanted)
        if at < len(entries) and entries[at] == wanted:
            longest = length
    return longest
