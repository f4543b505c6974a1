"""Digests over what a table holds, not over how Parquet happened to store it."""

import blake3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def table_digest(table: pa.Table) -> str:
    """BLAKE3 (hex) over names, types and values of all columns, row by row in order.

    The same for any chunking, slicing, encoding and compression; values under a null do not count.
    """
    hasher = blake3.blake3()
    hasher.update(f"{table.num_rows}".encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        hasher.update(f"\0{name}\0{_type_name(column.type)}\0".encode())
        _update(hasher, column.combine_chunks() if column.num_chunks != 1 else column.chunk(0))
    return hasher.hexdigest()


def bytes_digest(data: bytes) -> str:
    """BLAKE3 (hex) of `data`."""
    return blake3.blake3(data).hexdigest()


def _update(hasher: blake3.blake3, array: pa.Array) -> None:
    if isinstance(array, pa.ChunkedArray):  # combine_chunks of no chunks at all
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.null_count:
        hasher.update(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
        array = array.drop_null()
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        hasher.update(pc.list_value_length(array).cast(pa.int64()).to_numpy().tobytes())
        _update(hasher, array.flatten())
    elif pa.types.is_fixed_size_list(kind):
        _update(hasher, array.flatten())
    elif pa.types.is_string(kind) or pa.types.is_binary(kind) or _is_large(kind):
        large = array.cast(pa.large_binary())
        offsets = np.frombuffer(large.buffers()[1], np.int64, len(large) + 1 + large.offset)[large.offset :]
        hasher.update(np.diff(offsets).tobytes())
        if len(large) and large.buffers()[2] is not None:
            hasher.update(memoryview(large.buffers()[2])[offsets[0] : offsets[-1]])
    elif pa.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        if len(array):
            start = array.offset * width
            hasher.update(memoryview(array.buffers()[1])[start : start + len(array) * width])
    elif pa.types.is_timestamp(kind):
        hasher.update(array.cast(pa.int64()).to_numpy().tobytes())
    elif pa.types.is_primitive(kind):
        hasher.update(array.to_numpy(zero_copy_only=False).tobytes())
    else:
        raise TypeError(f"no digest for columns of type {kind}")


def _is_large(kind: pa.DataType) -> bool:
    return pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)


def _type_name(kind: pa.DataType) -> str:
    """The type without the names that Parquet gives to what a list holds; a dictionary is what it spells."""
    if pa.types.is_dictionary(kind):
        return _type_name(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        size = kind.list_size if pa.types.is_fixed_size_list(kind) else ""
        return f"list{size}<{_type_name(kind.value_type)}>"
    return str(kind)
