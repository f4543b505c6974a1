"""Whether a page's head holds a word of which a tag about the page's use has one, found a block of bytes at a time.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import numpy as np

from dataprep.kernels.ascii_case import stands_at
from dataprep.kernels.blocks import BLOCK, lowest_bit, pairs_of_block
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only

# (mark, where its anchor stands in it). Marks in small letters.
MARKS = (
    *((b"bot", 0), (b"extended", 1), (b"crawler", 3), (b"-ai", 0)),  # names of crawlers
    *((b"noai", 1), (b"noindex", 1), (b"nofollow", 1), (b"noarchive", 1), (b"nocache", 1), (b"nosnippet", 2)),
    *((b"noimage", 1), (b"notranslate", 6), (b"tdm-", 1), (b"license", 4), (b".rights", 0)),
)

ANCHORS = (b"bo", b"xt", b"wl", b"-a", b"oa", b"oi", b"of", b"oc", b"sn", b"sl", b"dm", b"ns", b".r")
"""Two bytes of each mark; of those that it has, the ones that heads have least."""

_anchors_of_block = pairs_of_block(ANCHORS)
_BYTES = np.frombuffer(b"".join(mark for mark, _ in MARKS), np.uint8)
_OFFSETS = read_only(np.cumsum([0] + [len(mark) for mark, _ in MARKS], dtype=np.int64))
_PLACES = read_only(np.array([place for _, place in MARKS], np.int64))


def holds_mark(page: bytes, end: int) -> bool:
    """Whether one of `MARKS` stands in `page[:end]`, in any case. The page is not empty."""
    return _holds_mark(np.frombuffer(page, np.uint8), min(end, len(page)))


@kernel
def _holds_mark(data, end):
    position = np.int64(0)
    while position + BLOCK < end:
        mask = _anchors_of_block(data, position)
        while mask != 0:
            if _is_mark(data, position + lowest_bit(mask), end):
                return True
            mask &= mask - np.uint64(1)
        position += BLOCK
    while position + 1 < end:
        if _is_mark(data, position, end):
            return True
        position += 1
    return False


@kernel
def _is_mark(data, anchor, end):
    """Whether a mark whose anchor stands at `anchor` is there."""
    for i in range(len(_PLACES)):
        begin = anchor - _PLACES[i]
        if begin < 0 or begin + _OFFSETS[i + 1] - _OFFSETS[i] > end:
            continue
        if stands_at(data, begin, _BYTES, _OFFSETS[i], _OFFSETS[i + 1]):
            return True
    return False
