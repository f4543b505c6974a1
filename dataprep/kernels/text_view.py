"""The text that survives `clean`: documents seen through their cuts."""

import numpy as np
import pyarrow as pa
from numba import njit

from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column, list_buffers, text_buffers, text_from_buffers


def surviving_text(text: pa.LargeStringArray, edits: pa.Table) -> pa.LargeStringArray:
    """The texts without the ranges that `edits` (`schemas.EDITS`, row for row) cuts out of them.

    Raises CorruptDataError where the tables do not fit: another number of rows or of bytes, or cuts that are empty,
    out of order, overlapping, outside the text or in the middle of a character.
    """
    if len(text) != edits.num_rows:
        raise CorruptDataError(f"{len(text)} texts, but edits for {edits.num_rows}: are both of the same shard?")
    data, offsets = text_buffers(text)
    starts, start_offsets = list_buffers(column(edits, "cut_starts"))
    ends, end_offsets = list_buffers(column(edits, "cut_ends"))
    if not np.array_equal(np.diff(start_offsets), np.diff(end_offsets)):
        raise CorruptDataError("a row of edits has another number of cut_starts than of cut_ends")
    lengths = np.empty(len(text), np.int64)
    bad_row = _measure(data, offsets, starts, start_offsets, ends, end_offsets, lengths)
    if bad_row >= 0:
        row = edits.slice(bad_row, 1)
        raise CorruptDataError(
            f"row {bad_row}: cuts from {row['cut_starts'][0].as_py()} to {row['cut_ends'][0].as_py()} are not "
            f"ascending, disjoint ranges of whole characters in a text of {len(text[bad_row].as_buffer())} bytes"
        )
    _check_sizes(edits, np.diff(offsets), lengths)
    if starts.size == 0:
        return text
    out_offsets = np.zeros(len(text) + 1, np.int64)
    np.cumsum(lengths, out=out_offsets[1:])
    out = np.empty(out_offsets[-1], np.uint8)
    _copy(data, offsets, starts, start_offsets, ends, end_offsets, out)
    return text_from_buffers(out, out_offsets)


def _check_sizes(edits: pa.Table, num_bytes: np.ndarray, num_surviving_bytes: np.ndarray) -> None:
    for name, found in (("num_bytes", num_bytes), ("num_cut_bytes", num_bytes - num_surviving_bytes)):
        stated = column(edits, name).to_numpy()
        if not np.array_equal(stated, found):
            row = int(np.flatnonzero(stated != found)[0])
            raise CorruptDataError(
                f"row {row}: edits state {name} {stated[row]}, but the text and the cuts give {found[row]}"
            )


@njit(cache=True, nogil=True)
def _measure(data, offsets, starts, start_offsets, ends, end_offsets, lengths):
    """Fills in the bytes that survive of each text; the first row with a wrong cut, or -1."""
    for document in range(len(offsets) - 1):
        first = offsets[document]
        size = offsets[document + 1] - first
        lengths[document] = size
        previous_end = 0
        for i in range(start_offsets[document + 1] - start_offsets[document]):
            start = starts[start_offsets[document] + i]
            end = ends[end_offsets[document] + i]
            if start < previous_end or end <= start or end > size:
                return document
            # A byte 10xxxxxx goes on with a character (RFC 3629): no cut may start or end before one.
            if data[first + start] & 0xC0 == 0x80 or (end < size and data[first + end] & 0xC0 == 0x80):
                return document
            lengths[document] -= end - start
            previous_end = end
    return -1


@njit(cache=True, nogil=True)
def _copy(data, offsets, starts, start_offsets, ends, end_offsets, out):
    written = 0
    for document in range(len(offsets) - 1):
        first = offsets[document]
        size = offsets[document + 1] - first
        position = 0
        num_cuts = start_offsets[document + 1] - start_offsets[document]
        for i in range(num_cuts + 1):
            stop = starts[start_offsets[document] + i] if i < num_cuts else size
            out[written : written + stop - position] = data[first + position : first + stop]
            written += stop - position
            if i < num_cuts:
                position = ends[end_offsets[document] + i]
