"""A number for each line of a site, the same for lines that read the same."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dataprep.kernels.blocks import line_end
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import read_only
from dataprep.kernels.mixing import avalanche, mix_in
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import WHITESPACE, unicode_classes
from dataprep.kernels.utf8 import decode

_LINE_FEED = 0x0A
_SPACE = np.uint64(0x20)


class LineKeys(NamedTuple):
    """The lines of a batch of texts that are not blank.

    Those of text i are [offsets[i], offsets[i + 1]) of the other arrays: `starts` and `ends` int64, the line's bytes in
    its text, with its line feed; `keys` uint64.
    """

    offsets: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    keys: np.ndarray


def line_keys(text: pa.LargeStringArray, sites: np.ndarray) -> LineKeys:
    """The lines of each text, with keys under its site (uint64[texts]). Lines that differ only in case, in blanks at
    either end or in the width of blanks have one key."""
    data, offsets = text_buffers(text)
    tables = unicode_classes()
    most = int(np.count_nonzero(data[offsets[0] : offsets[-1]] == _LINE_FEED)) + len(text)
    line_offsets = np.empty(len(offsets), np.int64)
    starts, ends, keys = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.uint64)
    _line_keys(data, offsets, read_only(sites), tables.classes, tables.lower, line_offsets, starts, ends, keys)
    n = line_offsets[-1]
    return LineKeys(line_offsets, starts[:n], ends[:n], keys[:n])


@kernel
def _line_keys(data, offsets, sites, classes, lower, line_offsets, starts, ends, keys):
    count = 0
    line_offsets[0] = 0
    for document in range(len(offsets) - 1):
        start, stop = offsets[document], offsets[document + 1]
        while start < stop:
            end = line_end(data, start, stop)
            after = min(end + 1, stop)
            is_blank, key = _key(data, start, end, sites[document], classes, lower)
            if not is_blank:
                starts[count], ends[count] = start - offsets[document], after - offsets[document]
                keys[count] = key
                count += 1
            start = after
        line_offsets[document + 1] = count


@kernel
def _key(data, position, end, site, classes, lower):
    state = site
    is_blank, gap = True, False
    while position < end:
        codepoint, position = decode(data, position, end)
        if classes[codepoint] & WHITESPACE != 0:
            gap = not is_blank
            continue
        if gap:
            state = mix_in(state, _SPACE)
            gap = False
        is_blank = False
        state = mix_in(state, np.uint64(lower[codepoint]))
    return is_blank, avalanche(state)
