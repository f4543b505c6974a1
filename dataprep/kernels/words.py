"""Words: found once, hashed once, shared by every filter, by MinHash and by decontamination.

What a word is stands in `dataprep.kernels.unicode_classes`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import (
    BLOCK,
    LANE,
    first_bits,
    highest_bit,
    lane_at,
    lowest_bit,
    non_ascii_of_block,
    word_characters_of_block,
)
from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_5, avalanche, mix_in
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import LETTER, MARK, SINGLE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode, encode

WORD_HASHES = 2
"""Which definition of a word's hash this is. To be raised with it: what was hashed by two of them does not compare."""

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_SMALL = np.uint64(0x2020202020202020)  # of the ASCII letters and digits, makes capitals small and changes no other
_LETTERS = np.uint64(0x4040404040404040)  # of the same, letters have this bit
_LANE_BITS = np.uint64(8 * LANE)


@dataclass(frozen=True)
class Words:
    """The words of a batch of documents, in order.

    The words of document i are [offsets[i], offsets[i + 1]) of the other arrays: `hashes` uint64, a hash of the
    lowercased word in UTF-8 (XXH64's round for every 8 bytes, the last filled up with zeros, and its avalanche at the
    end: no two words of up to 8 bytes have the same); `num_characters` int32, in codepoints; `has_letter` bool.
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
    ascii_words = np.zeros(256, np.uint8)  # by byte: in ASCII what a word has, 0 for all else
    for byte in range(0x80):
        ascii_words[byte] = classes[byte] & WORD
    last_block = len(data) - BLOCK - LANE  # from there on a lane might reach over the end of the buffer
    count = 0
    offsets[0] = 0
    for document in range(len(text_offsets) - 1):
        position = text_offsets[document]
        end = text_offsets[document + 1]
        while position < end:
            if position + BLOCK <= end and position <= last_block and data[position] < 0x80:
                num_bytes, in_words = _plain_part(data, position)
                if num_bytes > 0:
                    while in_words != 0:
                        start = lowest_bit(in_words)
                        length = lowest_bit(~(in_words >> np.uint64(start)))
                        in_words &= _ALL << np.uint64(start + length)
                        hashes[count], has_letter[count] = _hash_run(data, position + start, length)
                        num_characters[count] = length
                        count += 1
                    position += num_bytes
                    continue
            start = position
            state, lane, num_bits = PRIME_5, np.uint64(0), np.uint64(0)
            seen = np.uint8(0)  # the classes of the word's characters, or-ed
            while position < end:
                byte = data[position]
                kind = ascii_words[byte]
                if kind == 0:
                    break
                state, lane, num_bits = add_character(state, lane, num_bits, lower[byte])
                seen |= kind
                position += 1
            length = position - start
            if position < end and data[position] >= 0x80:
                position, state, length, seen = _go_on(
                    data, position, end, classes, lower, state, lane, num_bits, length, seen
                )
            else:
                state = end_word(state, lane, num_bits)
                position += 1  # over what ended the word
            if length > 0:
                hashes[count] = state
                num_characters[count] = length
                has_letter[count] = seen & LETTER != 0
                count += 1
        offsets[document + 1] = count


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
def _hash_run(data, start, length):
    """The hash of a run of ASCII letters and digits, and whether one of them is a letter. Reads whole lanes."""
    state = PRIME_5
    letters = np.uint64(0)
    while length > LANE:
        lane = lane_at(data, start)
        letters |= lane
        state = mix_in(state, lane | _SMALL)
        start += LANE
        length -= LANE
    lane = (lane_at(data, start) | _SMALL) & (_ALL >> (_LANE_BITS - np.uint64(8 * length)))
    return avalanche(mix_in(state, lane)), (letters | lane) & _LETTERS != 0


@kernel
def add_character(state, lane, num_bits, codepoint):
    """The hash of a word on its way, `PRIME_5, 0, 0` at first, after one more lowercased character: the state after
    the lanes that are full, and the bits of the one that is not."""
    character, width = encode(codepoint)
    lane |= character << num_bits
    num_bits += width
    if num_bits < _LANE_BITS:
        return state, lane, num_bits
    num_bits -= _LANE_BITS
    return mix_in(state, lane), character >> (width - num_bits), num_bits


@kernel
def end_word(state, lane, num_bits):
    """The hash of a word whose characters were all added."""
    return avalanche(mix_in(state, lane) if num_bits > 0 else state)


@kernel
def _go_on(data, position, end, classes, lower, state, lane, num_bits, length, seen):
    """Reads on from a character outside ASCII, inside a run or (length 0) between words, to the end of the word.

    Returns the position to go on from (after what ended the word, or at it where it starts the next one), the hash,
    the length and the classes seen.
    """
    unspaced = False
    while position < end:
        codepoint, after = decode(data, position, end)
        kind = classes[codepoint]
        if kind & WORD == 0:
            position = after
            break
        if length > 0 and (kind & SINGLE != 0 or (unspaced and kind & MARK == 0)):
            break
        if kind & SINGLE != 0:
            unspaced = True
        state, lane, num_bits = add_character(state, lane, num_bits, lower[codepoint])
        seen |= kind
        length += 1
        position = after
    return position, end_word(state, lane, num_bits), length, seen
