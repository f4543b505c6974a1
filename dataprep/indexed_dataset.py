"""Token shards in Megatron's indexed-dataset format, so that other trainers can read them.

Layout, little-endian (Megatron-core, `megatron/core/datasets/indexed_dataset.py`, `_IndexWriter`, version 1):

    .bin   the tokens, one document after the other, nothing between them
    .idx   "MMIDIDX\\0\\0", uint64 version, uint8 dtype code, uint64 sequences, uint64 document indices,
           int32 length of each sequence (tokens), int64 pointer to each sequence (bytes into .bin),
           int64 document indices (the first sequence of each document, and one past the last)

Here a document is one sequence, so the document indices are 0, 1, ..., number of documents.
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from dataprep.errors import CorruptDataError

_MAGIC = b"MMIDIDX\x00\x00"
_VERSION = 1
_HEADER = struct.Struct("<9sQBQQ")  # 34 bytes: magic, version, dtype code, sequences, document indices
# Megatron's `DType`, of which it writes tokens in these two.
_DTYPE_CODES: dict[np.dtype, int] = {np.dtype(np.int32): 4, np.dtype(np.uint16): 8}
_UINT16_VOCAB_LIMIT = 65_500  # tokens; Megatron's DType.optimal_dtype takes uint16 below it


def token_dtype(vocab_size: int) -> np.dtype:
    """The type that Megatron stores tokens of such a vocabulary in: uint16 below 65,500 entries, else int32."""
    return np.dtype(np.uint16) if vocab_size < _UINT16_VOCAB_LIMIT else np.dtype(np.int32)


def bin_path(prefix: Path) -> Path:
    """Where the tokens of the shard `prefix` are."""
    return prefix.with_name(prefix.name + ".bin")


def idx_path(prefix: Path) -> Path:
    """Where the index of the shard `prefix` is."""
    return prefix.with_name(prefix.name + ".idx")


class IndexedDatasetWriter:
    """Writes one token shard to local files; as a context manager, it writes the index when the body succeeds.

    Without its `.idx` a shard cannot be opened, so a writer that dies leaves none that looks whole.
    """

    def __init__(self, prefix: Path, vocab_size: int) -> None:
        self.prefix = prefix
        self.vocab_size = vocab_size
        self.dtype = token_dtype(vocab_size)
        self.num_tokens = 0
        self._lengths: list[npt.NDArray[np.int32]] = []
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._bin = bin_path(prefix).open("wb")

    def add(self, tokens: npt.ArrayLike) -> None:
        """Append one document's tokens [n]. Raises CorruptDataError for a token outside the vocabulary."""
        tokens = np.asarray(tokens)
        self.add_many(tokens, np.array([tokens.size]))

    def add_many(self, tokens: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]) -> None:
        """Append documents whose tokens [n] lie one after the other; `lengths` [documents] add up to n.

        Raises CorruptDataError when they do not, or for a token outside the vocabulary.
        """
        if int(lengths.sum()) != tokens.size or (lengths.size and int(lengths.min()) < 0):
            raise CorruptDataError(f"{self.prefix}: lengths add up to {int(lengths.sum())}, tokens are {tokens.size}")
        # Casting to uint16 would wrap a token that is too large into another word without a sound.
        if tokens.size and (int(tokens.min()) < 0 or int(tokens.max()) >= self.vocab_size):
            found = f"tokens from {int(tokens.min())} to {int(tokens.max())}"
            raise CorruptDataError(f"{self.prefix}: {found}, expected 0 to {self.vocab_size - 1} (the vocabulary)")
        self._bin.write(tokens.astype(self.dtype.newbyteorder("<")).tobytes())
        self._lengths.append(lengths.astype("<i4"))
        self.num_tokens += tokens.size

    def close(self) -> None:
        """Finish `.bin` and write `.idx`."""
        self._bin.close()
        lengths = np.concatenate(self._lengths) if self._lengths else np.zeros(0, "<i4")
        ends = np.cumsum(lengths, dtype=np.int64) * self.dtype.itemsize
        pointers = np.concatenate([[0], ends[:-1]]) if lengths.size else np.zeros(0)
        documents = np.arange(lengths.size + 1)
        header = _HEADER.pack(_MAGIC, _VERSION, _DTYPE_CODES[self.dtype], lengths.size, documents.size)
        body = lengths.tobytes() + pointers.astype("<i8").tobytes() + documents.astype("<i8").tobytes()
        idx_path(self.prefix).write_bytes(header + body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._bin.close()


class IndexedDataset:
    """A token shard, memory-mapped: opening it reads the index, and of the tokens only what is asked for."""

    def __init__(self, prefix: Path) -> None:
        """Raises CorruptDataError when a file is not there, is cut short or does not fit the other."""
        self.prefix = prefix
        self.lengths, self.pointers, self.dtype = _read_index(idx_path(prefix))
        self.num_documents = int(self.lengths.size)
        self.num_tokens = int(self.lengths.sum(dtype=np.int64))
        self.tokens = self._map_tokens(bin_path(prefix))

    def _map_tokens(self, path: Path) -> npt.NDArray[np.integer]:
        if not path.is_file():
            raise CorruptDataError(f"{path}: not there, though its index is; write the shard again")
        expected, found = self.num_tokens * self.dtype.itemsize, path.stat().st_size
        if found != expected:
            arithmetic = f"{self.num_tokens} tokens x {self.dtype.itemsize} bytes = {expected}"
            raise CorruptDataError(f"{path}: {found} bytes, but its index says {arithmetic}; write the shard again")
        if not found:
            return np.zeros(0, self.dtype)  # an empty file cannot be mapped
        return np.memmap(path, self.dtype, mode="r")

    def document(self, index: int) -> npt.NDArray[np.integer]:
        """The tokens [n] of one document."""
        start = int(self.pointers[index]) // self.dtype.itemsize
        return self.tokens[start : start + int(self.lengths[index])]


def _read_index(path: Path) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], np.dtype]:
    """Lengths [documents] in tokens, pointers [documents] in bytes, the tokens' dtype; checked against each other."""
    if not path.is_file():
        raise CorruptDataError(f"{path}: there is no such index; a shard whose writer did not finish has none")
    data = path.read_bytes()
    if len(data) < _HEADER.size or data[: len(_MAGIC)] != _MAGIC:
        raise CorruptDataError(f"{path}: starts with {data[:9]!r}, expected {_MAGIC!r}: not an indexed dataset")
    _, version, code, num_sequences, num_indices = _HEADER.unpack_from(data)
    dtypes: dict[int, np.dtype] = {known: dtype for dtype, known in _DTYPE_CODES.items()}
    if version != _VERSION or code not in dtypes:
        raise CorruptDataError(f"{path}: version {version}, dtype code {code}; expected version 1 and code 4 or 8")
    expected = _HEADER.size + num_sequences * (4 + 8) + num_indices * 8
    if len(data) != expected:
        arithmetic = f"{_HEADER.size} + {num_sequences} x 12 + {num_indices} x 8 = {expected}"
        raise CorruptDataError(f"{path}: {len(data)} bytes, but its header says {arithmetic}; write the shard again")
    lengths = np.frombuffer(data, "<i4", num_sequences, _HEADER.size)
    pointers = np.frombuffer(data, "<i8", num_sequences, _HEADER.size + 4 * num_sequences)
    documents = np.frombuffer(data, "<i8", num_indices, _HEADER.size + 12 * num_sequences)
    dtype = dtypes[code]
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])[:-1] * dtype.itemsize
    if (num_sequences and int(lengths.min()) < 0) or not np.array_equal(pointers, starts):
        raise CorruptDataError(f"{path}: the pointers are not the running sum of the lengths; write the shard again")
    if not np.array_equal(documents, np.arange(num_sequences + 1)):
        raise CorruptDataError(f"{path}: a document is not one sequence, as Seedbed writes it")
    return lengths, pointers, dtype
