"""The text that survives `clean`: documents seen through their edits."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.errors import CorruptDataError
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edits import apply, from_table, read_only
from dataprep.kernels.text_buffers import column, list_buffers, text_buffers


def surviving_text(text: pa.LargeStringArray, edits: pa.Table) -> pa.LargeStringArray:
    """The texts without the ranges that `edits` (`schemas.EDITS`, row for row) cuts out of them, with what it puts in
    their place.

    Raises CorruptDataError where the tables do not fit: another number of rows or of bytes; cuts that are empty, out of
    order, overlapping, outside the text or in the middle of a character; lengths that do not add up to `added_text`, or
    part it in the middle of a character.
    """
    if len(text) != edits.num_rows:
        raise CorruptDataError(f"{len(text)} texts, but edits for {edits.num_rows}: are both of the same shard?")
    _check_lists(edits)
    _check_sizes(edits, "num_added_bytes", pc.binary_length(column(edits, "added_text")).to_numpy(), "`added_text`")
    parsed = from_table(edits)
    data, offsets = text_buffers(text)
    _, text_offsets = text_buffers(column(edits, "added_text"))
    bad_row = _first_bad_row(data, offsets, parsed.arrays(), read_only(text_offsets - text_offsets[0]))
    if bad_row >= 0:
        _refuse(edits.slice(bad_row, 1), bad_row, len(text[bad_row].as_buffer()))
    _check_sizes(edits, "num_bytes", np.diff(offsets), "the text")
    _check_sizes(edits, "num_cut_bytes", parsed.num_cut_bytes(), "their sum")
    return apply(text, parsed)


def num_surviving_bytes(edits: pa.Table) -> pa.ChunkedArray:
    """Of each text of `edits` (`schemas.EDITS`), int64."""
    return pc.subtract(pc.add(edits["num_bytes"], edits["num_added_bytes"]), edits["num_cut_bytes"])


def _check_lists(edits: pa.Table) -> None:
    _, expected = list_buffers(column(edits, "cut_starts"))
    for name in ("cut_ends", "cut_rules", "added_lengths"):
        _, offsets = list_buffers(column(edits, name))
        if not np.array_equal(np.diff(expected), np.diff(offsets)):
            raise CorruptDataError(f"a row of edits has another number of cut_starts than of {name}")


def _check_sizes(edits: pa.Table, name: str, found: np.ndarray, giver: str) -> None:
    stated = column(edits, name).to_numpy()
    if not np.array_equal(stated, found):
        row = int(np.flatnonzero(stated != found)[0])
        raise CorruptDataError(f"row {row}: edits state {name} {stated[row]}, but {giver} gives {found[row]}")


def _refuse(row: pa.Table, number: int, num_bytes: int) -> None:
    told = {name: row[name][0].as_py() for name in ("cut_starts", "cut_ends", "added_lengths")}
    raise CorruptDataError(
        f"row {number}: cuts from {told['cut_starts']} to {told['cut_ends']}, {told['added_lengths']} bytes in "
        f"their place, are not ascending, disjoint ranges of whole characters in a text of {num_bytes} bytes, with as "
        f"many bytes of whole characters in `added_text`"
    )


@kernel
def _first_bad_row(data, offsets, edits, added_text_offsets):
    """The first row with an edit that does not fit its text, or whose added bytes do not; -1 if there is none."""
    edit_offsets, starts, ends, _, added_offsets, added = edits
    for document in range(len(offsets) - 1):
        first = offsets[document]
        size = offsets[document + 1] - first
        previous_end = 0
        for i in range(edit_offsets[document], edit_offsets[document + 1]):
            start, end = starts[i], ends[i]
            if start < previous_end or end <= start or end > size or added_offsets[i + 1] < added_offsets[i]:
                return document
            # A byte 10xxxxxx goes on with a character (RFC 3629): no cut may start or end before one.
            if data[first + start] & 0xC0 == 0x80 or (end < size and data[first + end] & 0xC0 == 0x80):
                return document
            if added_offsets[i + 1] > added_text_offsets[document + 1]:
                return document
            if added_offsets[i] < added_offsets[i + 1] and added[added_offsets[i]] & 0xC0 == 0x80:
                return document
            previous_end = end
        if added_offsets[edit_offsets[document + 1]] != added_text_offsets[document + 1]:
            return document
    return -1
