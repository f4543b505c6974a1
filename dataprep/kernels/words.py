"""Words: found once, hashed once, shared by every filter, by MinHash and by decontamination.

What a word is stands in `dataprep.kernels.unicode_classes`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import (
    BLOCK,
    LANE,
    character_starts_of_block,
    first_bits,
    highest_bit,
    lane_at,
    letters_of_block,
    lowest_bit,
    non_ascii_of_block,
    num_bits,
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
    last_block = len(data) - BLOCK - LANE  # from there on a lane might reach over the end of the buffer
    count = 0
    offsets[0] = 0
    for document in range(len(text_offsets) - 1):
        position = text_offsets[document]
        end = text_offsets[document + 1]
        while position < end:
            if position + BLOCK <= end and position <= last_block:
                others = non_ascii_of_block(data, position)
                in_words = word_characters_of_block(data, position)
                if others == 0:
                    num_bytes = _whole_words(in_words, BLOCK)
                    in_words &= first_bits(num_bytes)
                    while in_words != 0:
                        start = lowest_bit(in_words)
                        length = lowest_bit(~(in_words >> np.uint64(start)))
                        in_words &= _ALL << np.uint64(start + length)
                        hashes[count], has_letter[count] = _hash_ascii(data, position + start, length)
                        num_characters[count] = length
                        count += 1
                else:
                    num_bytes, count = _words_of_block(
                        data, position, others, in_words, classes, lower, count, hashes, num_characters, has_letter
                    )
                if num_bytes > 0:
                    position += num_bytes
                    continue
            position, count = _word_by_character(
                data, position, end, classes, lower, count, hashes, num_characters, has_letter
            )
        offsets[document + 1] = count


@kernel
def _whole_words(in_words, num_bytes):
    """How many of the block's first `num_bytes` bytes there are up to and with the last one that is in no word: the
    words before it are whole."""
    separators = ~in_words & first_bits(num_bytes)
    return highest_bit(separators) + 1 if separators != 0 else 0


@kernel
def _words_of_block(data, position, others, in_words, classes, lower, count, hashes, num_characters, has_letter):
    """Writes the whole words of a block with `others`, bytes outside ASCII, up to the first letter of an unspaced
    script. Gives how many bytes that were, and `count` with the words."""
    starts = character_starts_of_block(data, position)
    goes_on = others & ~starts
    letters, capitals = letters_of_block(data, position), np.uint64(0)
    num_bytes, is_unspaced = BLOCK, False
    while starts != 0:
        at = lowest_bit(starts)
        starts &= starts - np.uint64(1)
        codepoint, after = decode(data, position + at, position + BLOCK)
        kind = classes[codepoint]
        if kind & SINGLE != 0:
            num_bytes, is_unspaced = at, True
            break
        if kind & WORD != 0:
            bits = first_bits(after - position - at) << np.uint64(at)
            in_words |= bits
            if kind & LETTER != 0:
                letters |= bits
            if lower[codepoint] != codepoint:
                capitals |= bits
        elif after - position == at + 1:  # the block ends inside the character, if it is one
            num_bytes = at
            break
    if not is_unspaced:
        num_bytes = _whole_words(in_words, num_bytes)
    in_words &= first_bits(num_bytes)
    while in_words != 0:
        start = lowest_bit(in_words)
        length = lowest_bit(~(in_words >> np.uint64(start)))
        run = first_bits(length) << np.uint64(start)
        in_words &= ~run
        if capitals & run == 0:
            hashes[count] = _hash_small(data, position + start, length)
        else:
            hashes[count] = _hash_characters(data, position + start, position + start + length, lower)
        has_letter[count] = letters & run != 0
        num_characters[count] = length - num_bits(goes_on & run)
        count += 1
    return num_bytes, count


@kernel(forceinline=True)
def _hash_ascii(data, start, length):
    """The hash of a run of ASCII letters and digits, and whether one of them is a letter. Reads whole lanes."""
    state = PRIME_5
    letters = np.uint64(0)
    while length > LANE:
        lane = lane_at(data, start)
        letters |= lane
        state = mix_in(state, lane | _SMALL)
        start += LANE
        length -= LANE
    lane = (lane_at(data, start) | _SMALL) & _first_bytes(length)
    return avalanche(mix_in(state, lane)), (letters | lane) & _LETTERS != 0


@kernel(forceinline=True)
def _hash_small(data, start, length):
    """The hash of a run in which only ASCII has capitals. Reads whole lanes."""
    state = PRIME_5
    while length > LANE:
        state = mix_in(state, _small(lane_at(data, start)))
        start += LANE
        length -= LANE
    return avalanche(mix_in(state, _small(lane_at(data, start)) & _first_bytes(length)))


@kernel
def _small(lane):
    """With small letters in ASCII: the bytes of other characters, which have their highest bit, stay as they are."""
    return lane | (_SMALL & ~(lane >> np.uint64(2)))


@kernel
def _first_bytes(count):
    """The bits of the first `count` bytes of a lane; of one at least."""
    return _ALL >> (_LANE_BITS - np.uint64(8 * count))


@kernel
def _hash_characters(data, position, end, lower):
    state, lane, filled = PRIME_5, np.uint64(0), np.uint64(0)
    while position < end:
        codepoint, position = decode(data, position, end)
        state, lane, filled = add_character(state, lane, filled, lower[codepoint])
    return end_word(state, lane, filled)


@kernel
def _word_by_character(data, position, end, classes, lower, count, hashes, num_characters, has_letter):
    """Writes the word that begins at `position`, and all that follow it at once, as letters of unspaced scripts do.
    Gives where to go on, which is over one separator at least where there is no word, and `count` with the words."""
    length, is_unspaced = 0, False
    state, lane, filled = PRIME_5, np.uint64(0), np.uint64(0)
    seen = np.uint8(0)  # the classes of the word's characters, or-ed
    while position < end:
        codepoint, after = decode(data, position, end)
        kind = classes[codepoint]
        if kind & WORD == 0:
            position = after
            break
        is_single = kind & SINGLE != 0
        if length > 0 and (is_single or (is_unspaced and kind & MARK == 0)):
            hashes[count], num_characters[count] = end_word(state, lane, filled), length
            has_letter[count] = seen & LETTER != 0
            count += 1
            length = 0
            state, lane, filled = PRIME_5, np.uint64(0), np.uint64(0)
            seen = np.uint8(0)
            if not is_single:
                is_unspaced = False
                break
        is_unspaced = is_single or is_unspaced
        state, lane, filled = add_character(state, lane, filled, lower[codepoint])
        seen |= kind
        length += 1
        position = after
    if length > 0:
        hashes[count], num_characters[count] = end_word(state, lane, filled), length
        has_letter[count] = seen & LETTER != 0
        count += 1
    return position, count


@kernel(forceinline=True)
def add_character(state, lane, filled, codepoint):
    """The hash of a word on its way, `PRIME_5, 0, 0` at first, after one more lowercased character: the state
    after the lanes that are full, the one that is not, and how many of its bits are."""
    character, width = encode(codepoint)
    lane |= character << filled
    filled += width
    if filled < _LANE_BITS:
        return state, lane, filled
    filled -= _LANE_BITS
    return mix_in(state, lane), character >> (width - filled), filled


@kernel(forceinline=True)
def end_word(state, lane, filled):
    """The hash of a word whose characters were all added."""
    return avalanche(mix_in(state, lane) if filled > 0 else state)
