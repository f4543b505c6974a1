"""The identity of a record: where it stands, packed into 128 bits.

    | source: 24 bits | file: 64 bits | record: 40 bits |

`source` is the hash of the source's name in the run file, `file` the hash of the path relative to the source's root,
and `record` the record's number within the file, from 0 (every record counts, also those that hold no document). An id
therefore does not depend on the folder that the crawl lies in, the order of the sources, or the number of workers; the
ids of one file are neighbours and ascend with the place; and what leads an id (`prefix`) leads to its input shard.
Written out it is `source/path#record`: `docs/corpus-000.warc.gz#17`.

Two files whose prefixes collide would share ids: `file_prefixes` refuses them (odds for ten million files of one
source: 3 in a million).
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import xxhash

from dataprep.errors import DataError
from dataprep.schemas import ID

PREFIX_BYTES = 11
RECORD_BITS = 40
MAX_RECORDS_IN_A_FILE = 1 << RECORD_BITS


def file_prefix(source: str, path: str) -> bytes:
    """The 11 bytes that lead the ids of every record of the file `path` of `source`."""
    source_part = xxhash.xxh64_intdigest(source.encode()) >> 40
    file_part = xxhash.xxh64_intdigest(path.encode())
    return source_part.to_bytes(3, "big") + file_part.to_bytes(8, "big")


def file_prefixes(files: Iterable[tuple[str, str]]) -> dict[bytes, tuple[str, str]]:
    """Prefix -> (source, path) of every file. Raises DataError when two files share one."""
    prefixes: dict[bytes, tuple[str, str]] = {}
    for source, path in files:
        prefix = file_prefix(source, path)
        if prefix in prefixes:
            other = "/".join(prefixes[prefix])
            raise DataError(
                f"{source}/{path} and {other} have the same id prefix {prefix.hex()}: rename one of the two"
            )
        prefixes[prefix] = (source, path)
    return prefixes


def pack(prefix: bytes, record: int) -> bytes:
    """The id of record number `record` of the file that `prefix` names. Raises DataError beyond 2**40 records."""
    if not 0 <= record < MAX_RECORDS_IN_A_FILE:
        raise DataError(f"record number {record} does not fit into {RECORD_BITS} bits: split the file")
    return prefix + record.to_bytes(5, "big")


def record_number(document_id: bytes) -> int:
    return int.from_bytes(document_id[PREFIX_BYTES:], "big")


def format_id(document_id: bytes, source: str, path: str) -> str:
    """`source/path#record`, what people read and type."""
    return f"{source}/{path}#{record_number(document_id)}"


def parse_id(text: str) -> bytes | None:
    """The packed id of `source/path#record`; None when `text` does not have that form."""
    place, separator, record = text.rpartition("#")
    source, slash, path = place.partition("/")
    if not (separator and slash and source and path and record.isascii() and record.isdigit()):
        return None
    if int(record) >= MAX_RECORDS_IN_A_FILE:
        return None
    return pack(file_prefix(source, path), int(record))


def words(ids: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """High and low 64 bits, uint64[rows] each: compared as a pair they order as the ids do. Ids must not be null."""
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    if array.type != ID:
        raise TypeError(f"ids must be {ID}, not {array.type}")
    if len(array) == 0:
        return np.empty(0, np.uint64), np.empty(0, np.uint64)
    raw = np.frombuffer(array.buffers()[1], dtype=">u8", count=2 * (array.offset + len(array)))
    pairs = raw.reshape(-1, 2)[array.offset :].astype(np.uint64)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def from_words(high: np.ndarray, low: np.ndarray) -> pa.Array:
    """The ids of high and low 64 bits: the inverse of `words`."""
    pairs = np.stack([high.astype(np.uint64), low.astype(np.uint64)], axis=1).astype(">u8")
    return pa.Array.from_buffers(ID, len(pairs), [None, pa.py_buffer(np.ascontiguousarray(pairs))])


def ascend(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether every id is greater than the one before it (so none stands twice)."""
    high, low = words(ids)
    return bool(np.all((high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))))


_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)  # splitmix64 (Steele, Lea and Flood 2014), as are the shifts below
_MIX_2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


def _splitmix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def mix(ids: pa.Array | pa.ChunkedArray, seed: int) -> np.ndarray:
    """A well-mixed uint64 for each id: what splits, samples and shuffles decide by."""
    high, low = words(ids)
    with np.errstate(over="ignore"):
        salted = high + _GOLDEN * np.uint64(seed + 1)
        return _splitmix(_splitmix(salted) ^ (low + _GOLDEN))
