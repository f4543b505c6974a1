"""Words: found once, hashed once, shared by every filter, by MinHash and by decontamination.

What a word is stands in `dataprep.kernels.unicode_classes`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import (
    BLOCK,
    first_bits,
    highest_bit,
    lowest_bit,
    non_ascii_of_block,
    word_characters_of_block,
)
from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_2, PRIME_5, avalanche, mix_in, mix_in_product
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import LETTER, MARK, SINGLE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode

_GROUP = 4096  # words that are hashed together: what is known of them stays in the processor's cache
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LETTER_BIT = 0x40  # of the ASCII letters and digits, letters have it


@dataclass(frozen=True)
class Words:
    """The words of a batch of documents, in order.

    The words of document i are [offsets[i], offsets[i + 1]) of the other arrays: `hashes` uint64, a hash of the
    lowercased codepoints (XXH64's round per codepoint and its avalanche at the end); `num_characters` int32, in
    codepoints; `has_letter` bool.
    """

    offsets: np.ndarray
    hashes: np.ndarray
    num_characters: np.ndarray
    has_letter: np.ndarray

    @property
    def num_documents(self) -> int:
        return len(self.offsets) - 1


def find_words(text: pa.LargeStringArray) -> Words:
    """The words of each text.

    Takes up to 7 bytes of memory for each byte of text, so callers cut a column into batches
    (`dataprep.kernels.text_buffers.batches`).
    """
    data, text_offsets = text_buffers(text)
    tables = unicode_classes()
    # Two words of one byte want a separator between them, and an unspaced letter has three bytes: n bytes hold at
    # most (n + 1) / 2 words. Memory that no word reaches is reserved, never touched.
    num_bytes = int(text_offsets[-1] - text_offsets[0])
    capacity = (num_bytes + len(text)) // 2 + 1
    offsets = np.empty(len(text) + 1, np.int64)
    hashes = np.empty(capacity, np.uint64)
    num_characters = np.empty(capacity, np.int32)
    has_letter = np.empty(capacity, np.bool_)
    _find_words(data, text_offsets, tables.classes, tables.lower, offsets, hashes, num_characters, has_letter)
    n = int(offsets[-1])
    return Words(offsets, hashes[:n], num_characters[:n], has_letter[:n])


@kernel
def _find_words(data, text_offsets, classes, lower, offsets, hashes, num_characters, has_letter):
    # Small tables by byte: in ASCII what a word has, 0 for what ends one and for every byte outside ASCII.
    ascii_words = np.zeros(256, np.uint8)
    products = np.zeros(256, np.uint64)  # of the small letter, for `mix_in_product`
    for byte in range(0x80):
        ascii_words[byte] = classes[byte] & WORD
        products[byte] = np.uint64(lower[byte]) * PRIME_2
    waiting = np.empty(_GROUP, np.int64)  # words whose length is known, to be hashed, and
    starts = np.empty(_GROUP, np.int64)  # where they are in `data`
    num_waiting, count = 0, 0
    offsets[0] = 0
    for document in range(len(text_offsets) - 1):
        position = text_offsets[document]
        end = text_offsets[document + 1]
        while position < end:
            if position + BLOCK <= end and data[position] < 0x80:
                num_bytes, in_words = _plain_part(data, position)
                if num_bytes > 0:
                    while in_words != 0:
                        start = lowest_bit(in_words)
                        length = lowest_bit(~(in_words >> np.uint64(start)))
                        in_words &= _ALL << np.uint64(start + length)
                        waiting[num_waiting], starts[num_waiting] = count, position + start
                        num_characters[count] = length
                        num_waiting += 1
                        count += 1
                    position += num_bytes
                    if num_waiting > _GROUP - BLOCK:
                        _hash_runs(data, waiting[:num_waiting], starts, products, hashes, num_characters, has_letter)
                        num_waiting = 0
                    continue
            start = position
            state = PRIME_5
            seen = np.uint8(0)  # the classes of the word's characters, or-ed
            while position < end:
                byte = data[position]
                kind = ascii_words[byte]
                if kind == 0:
                    break
                state = mix_in_product(state, products[byte])
                seen |= kind
                position += 1
            length = position - start
            if position < end and data[position] >= 0x80:
                position, state, length, seen = _go_on(data, position, end, classes, lower, state, length, seen)
            else:
                position += 1  # over what ended the word
            if length > 0:
                hashes[count] = avalanche(state)
                num_characters[count] = length
                has_letter[count] = seen & LETTER != 0
                count += 1
        offsets[document + 1] = count
    _hash_runs(data, waiting[:num_waiting], starts, products, hashes, num_characters, has_letter)


@kernel
def _plain_part(data, position):
    """How many bytes of the block from `position` on are ASCII, up to and with the last one that is in no word, and
    which of them are in words, as bits: those words are runs, and whole."""
    others = non_ascii_of_block(data, position)
    num_ascii = lowest_bit(others) if others != 0 else BLOCK
    in_words = word_characters_of_block(data, position)
    separators = ~in_words & first_bits(num_ascii)
    if separators == 0:
        return 0, np.uint64(0)
    last = highest_bit(separators)
    return last + 1, in_words & first_bits(last)


@kernel
def _hash_runs(data, words, starts, products, hashes, num_characters, has_letter):
    """Hashes `words`, runs of ASCII letters and digits that are shorter than a block, by length: where a word ends is
    foreseen then, and several are under way at once. In the order of the text it took 1.7 times as long (measured)."""
    places = np.zeros(BLOCK + 1, np.int64)  # of the next word of each length
    for word in words:
        places[num_characters[word] + 1] += 1
    for length in range(1, BLOCK + 1):
        places[length] += places[length - 1]
    by_length = np.empty(len(words), np.int64)
    for i in range(len(words)):
        own = num_characters[words[i]]
        by_length[places[own]] = i
        places[own] += 1
    for at in by_length:
        word, start = words[at], np.uint64(starts[at])
        state = PRIME_5
        seen = np.uint8(0)
        for place in range(num_characters[word]):
            byte = data[start + np.uint64(place)]
            state = mix_in_product(state, products[byte])
            seen |= byte
        hashes[word] = avalanche(state)
        has_letter[word] = seen & _LETTER_BIT != 0


@kernel
def _go_on(data, position, end, classes, lower, state, length, seen):
    """Reads on from a character outside ASCII, inside a run or (length 0) between words, to the end of the word.

    Returns the position to go on from: after what ended the word, or at it where it starts the next one.
    """
    unspaced = False
    while position < end:
        codepoint, after = decode(data, position, end)
        kind = classes[codepoint]
        if kind & WORD == 0:
            return after, state, length, seen
        if length > 0 and (kind & SINGLE != 0 or (unspaced and kind & MARK == 0)):
            return position, state, length, seen
        if kind & SINGLE != 0:
            unspaced = True
        state = mix_in(state, np.uint64(lower[codepoint]))
        seen |= kind
        length += 1
        position = after
    return position, state, length, seen
