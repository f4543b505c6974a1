"""Decoding and encoding one character of UTF-8 inside a kernel.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.deferred import kernel

REPLACEMENT = np.uint32(0xFFFD)  # REPLACEMENT CHARACTER, for bytes that are no UTF-8


@kernel(forceinline=True)
def decode(data: np.ndarray, position: int, end: int) -> tuple[np.uint32, int]:
    """The codepoint at `position` and the position after it; never reads at or after `end`.

    Arrow text is valid UTF-8. Should it not be, a byte that starts no character within `end` counts as U+FFFD.
    """
    lead = np.uint32(data[position])
    if lead < 0x80:
        return lead, position + 1
    if lead < 0xE0:
        if lead < 0xC0 or position + 2 > end:
            return REPLACEMENT, position + 1
        return np.uint32((lead & 0x1F) << 6 | (data[position + 1] & 0x3F)), position + 2
    if lead < 0xF0:
        if position + 3 > end:
            return REPLACEMENT, position + 1
        tail = np.uint32((data[position + 1] & 0x3F) << 6 | (data[position + 2] & 0x3F))
        return np.uint32((lead & 0x0F) << 12 | tail), position + 3
    if position + 4 > end:
        return REPLACEMENT, position + 1
    high = np.uint32((lead & 0x07) << 18 | (data[position + 1] & 0x3F) << 12)
    codepoint = np.uint32(high | (data[position + 2] & 0x3F) << 6 | (data[position + 3] & 0x3F))
    if codepoint > 0x10FFFF:
        return REPLACEMENT, position + 1
    return codepoint, position + 4


@kernel
def encode(codepoint: np.uint32) -> tuple[np.uint64, np.uint64]:
    """The bytes of a character, the first one lowest, and how many bits they are."""
    if codepoint < 0x80:
        return np.uint64(codepoint), np.uint64(8)
    last = np.uint64(0x80 | (codepoint & 0x3F))
    if codepoint < 0x800:
        return np.uint64(0xC0 | codepoint >> 6) | last << np.uint64(8), np.uint64(16)
    before = np.uint64(0x80 | (codepoint >> 6 & 0x3F))
    if codepoint < 0x10000:
        return np.uint64(0xE0 | codepoint >> 12) | before << np.uint64(8) | last << np.uint64(16), np.uint64(24)
    second = np.uint64(0x80 | (codepoint >> 12 & 0x3F)) << np.uint64(8)
    return np.uint64(0xF0 | codepoint >> 18) | second | before << np.uint64(16) | last << np.uint64(24), np.uint64(32)
