"""Words: found once, hashed once, shared by every filter, by MinHash and by decontamination.

What a word is stands in `dataprep.kernels.unicode_classes`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataprep.kernels.deferred import kernel
from dataprep.kernels.mixing import PRIME_5, avalanche, mix_in
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import LETTER, MARK, SINGLE, WORD, unicode_classes
from dataprep.kernels.utf8 import decode


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
    ascii_lower = np.zeros(256, np.uint64)
    for byte in range(0x80):
        ascii_words[byte] = classes[byte] & WORD
        ascii_lower[byte] = lower[byte]
    count = 0
    offsets[0] = 0
    for document in range(len(text_offsets) - 1):
        position = text_offsets[document]
        end = text_offsets[document + 1]
        while position < end:
            start = position
            state = PRIME_5
            seen = np.uint8(0)  # the classes of the word's characters, or-ed
            # Most text is ASCII, and in ASCII every word is a run. This loop is where the time goes.
            while position < end:
                byte = data[position]
                kind = ascii_words[byte]
                if kind == 0:
                    break
                state = mix_in(state, ascii_lower[byte])
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
