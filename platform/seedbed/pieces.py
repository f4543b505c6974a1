"""Files of pieces: tables that units of one phase write for units of the next, each of which wants one piece of all.

    header   magic, number of pieces, bytes of the schema, its XXH3-64 seeded with that number
    schema   of all pieces, as Arrow writes it
    index    for each piece where it ends, its size before compression, and the XXH3-64 of its compressed bytes,
             seeded with that size
    pieces   each one record batch as Arrow writes it, compressed with zstd; nothing where it has no rows

To read a piece takes the head of the file, two entries of the index where there are more than a hundred, and the
piece. A Parquet file has to be asked for its footer first, which describes every column of every row group: with some
hundred pieces in some hundred files that takes longer than all else (measured: docs/architecture.md).
"""

import io
import struct
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import BinaryIO

import pyarrow as pa
import xxhash
import zstandard

from dataprep.errors import CorruptDataError

_MAGIC = b"SEEDPCS1"
_HEADER = struct.Struct("<8sQQQ")
_ENTRY = struct.Struct("<QQQ")
_HEAD_BYTES = 4096
"""What is read at first: header, schema, and the entries of the first hundred pieces."""


class _Zstd(threading.local):
    """Arrow's codec makes a new context for each piece, which takes as long as a small piece does."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_ZSTD = _Zstd()


def pack(schema: pa.Schema, pieces: Iterable[pa.Table]) -> bytes:
    """The file of these tables, taken in turn: of those that were taken only the compressed bytes are in memory."""
    written: list[bytes] = []
    entries: list[tuple[int, int, int]] = []
    end = 0
    for piece in pieces:
        if not piece.schema.equals(schema):
            raise ValueError(f"a piece has the columns {piece.schema}, but its file was to have {schema}")
        data, num_bytes = _packed(piece) if piece.num_rows else (b"", 0)
        end += len(data)
        written.append(data)
        entries.append((end, num_bytes, _checksum(data, num_bytes)))
    head = schema.serialize().to_pybytes()
    start = _HEADER.size + len(head) + _ENTRY.size * len(entries)
    index = b"".join(_ENTRY.pack(start + end, num_bytes, checksum) for end, num_bytes, checksum in entries)
    return b"".join(
        [_HEADER.pack(_MAGIC, len(entries), len(head), _checksum(head, len(entries))), head, index, *written]
    )


def _packed(piece: pa.Table) -> tuple[bytes, int]:
    batch = pa.concat_batches(piece.combine_chunks().to_batches())
    data = batch.serialize()
    return _ZSTD.compress(data), data.size


def _checksum(data: bytes | memoryview, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(data, seed)


@lru_cache
def _no_rows(schema: bytes) -> pa.Table:
    """All files of a table have one schema."""
    return pa.ipc.read_schema(pa.py_buffer(schema)).empty_table()


class PieceFile:
    """An open file of pieces. Every method raises CorruptDataError where the bytes are not those that were written; it
    says the file's `name`, and how to go on: `cure`."""

    def __init__(self, file: BinaryIO, name: str = "this file", cure: str = "write it again") -> None:
        self._file, self._name, self._cure = file, name, cure
        self._size = file.seek(0, io.SEEK_END)
        self._head = self._read(0, min(_HEAD_BYTES, max(_HEADER.size, self._size)))
        magic, self.num_pieces, schema_bytes, checksum = _HEADER.unpack_from(self._head)
        if magic != _MAGIC:
            raise self._damaged("it is no file of pieces")
        self._index = _HEADER.size + schema_bytes
        self._data = self._index + _ENTRY.size * self.num_pieces
        if self._index > len(self._head):
            self._head = self._read(0, self._index)
        schema = self._head[_HEADER.size : self._index]
        if _checksum(schema, self.num_pieces) != checksum:
            raise self._damaged("its header does not match its checksum")
        self._no_rows = _no_rows(schema)
        self.schema = self._no_rows.schema

    def read(self, piece: int) -> pa.Table:
        """One piece, without rows where nothing was written to it."""
        return next(self.some(piece, piece + 1))

    def some(self, first: int, stop: int) -> Iterator[pa.Table]:
        """The pieces [first, stop) in turn; the bytes of all are fetched at once."""
        if not 0 <= first <= stop <= self.num_pieces:
            raise self._damaged(f"pieces {first} to {stop - 1} are asked for, but it has {self.num_pieces}")
        start, entries = self._entries(first, stop)
        data = memoryview(self._read(start, entries[-1][0] - start if entries else 0))
        begins = start
        for piece, (end, num_bytes, checksum) in enumerate(entries, first):
            yield self._unpacked(data[begins - start : end - start], piece, num_bytes, checksum)
            begins = end

    def whole(self, columns: list[str] | None = None) -> pa.Table:
        """The rows of all pieces; of some columns alone without the memory that the others take."""
        parts = [self._no_rows, *self.some(0, self.num_pieces)]
        return pa.concat_tables(parts if columns is None else [part.select(columns) for part in parts]).combine_chunks()

    def _unpacked(self, data: memoryview, piece: int, num_bytes: int, checksum: int) -> pa.Table:
        if _checksum(data, num_bytes) != checksum or (not data and num_bytes):
            raise self._damaged(f"piece {piece} does not match its checksum")
        if not data:
            return self._no_rows
        message = pa.py_buffer(_ZSTD.decompress(data, max_output_size=num_bytes))
        return pa.Table.from_batches([pa.ipc.read_record_batch(message, self.schema)])

    def _damaged(self, how: str) -> CorruptDataError:
        return CorruptDataError(f"{self._name}: {how}; {self._cure}")

    def _entries(self, first: int, stop: int) -> tuple[int, list[tuple[int, int, int]]]:
        """Where the piece `first` starts, and the entries of [first, stop)."""
        before = max(first - 1, 0)  # which ends where `first` starts
        at, size = self._index + _ENTRY.size * before, _ENTRY.size * (stop - before)
        data = self._head[at : at + size] if at + size <= len(self._head) else self._read(at, size)
        entries = list(_ENTRY.iter_unpack(data))
        return (self._data, entries) if first == 0 else (entries[0][0], entries[1:])

    def _read(self, start: int, size: int) -> bytes:
        if not 0 <= start <= start + size <= self._size:
            raise self._damaged(f"it has {self._size:,} bytes, but {size:,} are to stand from {start:,} on")
        self._file.seek(start)
        parts, left = [], size
        while left and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part)
        if left:
            raise self._damaged(f"it ended {left:,} bytes before byte {start + size:,}")
        return b"".join(parts)
