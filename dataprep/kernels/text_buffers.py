"""The buffers behind Arrow columns, as read-only NumPy views without a copy."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


def text_buffers(text: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The UTF-8 bytes (uint8[]) and the offsets into them (int64[rows + 1]) of a column, sliced or not.

    The first offset of a slice is not zero. Texts have no nulls (`schemas.DOCUMENTS`); a null reads as empty.
    """
    _, offset_buffer, data_buffer = text.buffers()
    if len(text) == 0:  # Arrow may leave both buffers out
        return _read_only(np.empty(0, np.uint8)), _read_only(np.zeros(1, np.int64))
    offsets = np.frombuffer(offset_buffer, np.int64)[text.offset : text.offset + len(text) + 1]
    if data_buffer is None or data_buffer.size == 0:
        return _read_only(np.empty(0, np.uint8)), _read_only(offsets)
    return _read_only(np.frombuffer(data_buffer, np.uint8)), _read_only(offsets)


def list_buffers(lists: pa.ListArray) -> tuple[np.ndarray, np.ndarray]:
    """The values and the offsets into them (int32[rows + 1]) of a list column, sliced or not."""
    if len(lists) == 0:
        values = np.empty(0, lists.type.value_type.to_pandas_dtype())
        return _read_only(values), _read_only(np.zeros(1, np.int32))
    offsets = np.frombuffer(lists.buffers()[1], np.int32)[lists.offset : lists.offset + len(lists) + 1]
    return _read_only(lists.values.to_numpy()), _read_only(offsets)


def column(table: pa.Table, name: str) -> pa.Array:
    """A column as one array; copies only where the table holds it in several chunks."""
    chunked = table.column(name)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], chunked.type)


def text_from_buffers(data: np.ndarray, offsets: np.ndarray) -> pa.LargeStringArray:
    """The column over UTF-8 bytes and offsets, without a copy; the bytes are taken to be valid."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)


def batches(text: pa.LargeStringArray, max_bytes: int) -> Iterator[tuple[int, int]]:
    """Row ranges [start, stop) of at most `max_bytes` of text each; a longer document is a batch of its own."""
    return ranges(text_buffers(text)[1], max_bytes)


def ranges(offsets: np.ndarray, max_size: int) -> Iterator[tuple[int, int]]:
    """Row ranges [start, stop) of at most `max_size` values each; a longer row is a range of its own."""
    start = 0
    while start < len(offsets) - 1:
        stop = int(np.searchsorted(offsets, offsets[start] + max_size, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def _read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written: numba takes writable arrays for another type and would compile twice."""
    view = array.view()
    view.flags.writeable = False
    return view
