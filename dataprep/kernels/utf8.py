"""Decoding one character of UTF-8 inside a kernel.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.deferred import kernel

REPLACEMENT = np.uint32(0xFFFD)  # REPLACEMENT CHARACTER, for bytes that are no UTF-8


@kernel
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
