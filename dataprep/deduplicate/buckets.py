"""The map side of the shuffle: where each document is looked for by its likes."""

import numpy as np
import pyarrow as pa

from dataprep import document_id
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.schemas import ID

BAND_ROWS = pa.schema(
    [
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),  # documents with one key share a bucket
        pa.field("id", ID, nullable=False),
    ]
)
"""One row for each band of a document and one for its exact content, ascending by (partition, key, id)."""


def band_rows(survivors: pa.Table, num_partitions: int) -> tuple[pa.Table, list[int]]:
    """`BAND_ROWS` of one shard's survivors (rows of `attributes`), and how many rows each partition has.

    The caller writes each partition as a piece of its own, so that a reader fetches one partition of every shard
    by range. Raises CorruptDataError for a document without words: all of those would be candidates of one another.
    """
    _check_words(survivors)
    bands = column(survivors, "minhash_bands")
    num_bands = bands.type.list_size
    band_keys = bands.flatten().to_numpy().reshape(-1, num_bands)  # a band's hash already holds the band's number
    # Half of the content's 128 bits: a bucket only proposes, and `verify` compares all of them.
    content_keys, _ = document_id.words(column(survivors, "content_hash"))
    keys = np.concatenate([band_keys, content_keys[:, None]], axis=1).ravel()
    id_high, id_low = (np.repeat(half, num_bands + 1) for half in document_id.words(column(survivors, "id")))
    order = np.lexsort((id_low, id_high, keys))  # partitions are ranges of keys, so they ascend too
    keys = keys[order]
    partitions = _partition(keys, num_partitions)
    columns = [pa.array(partitions), pa.array(keys), document_id.from_words(id_high[order], id_low[order])]
    num_rows = np.bincount(partitions, minlength=num_partitions).tolist()
    return pa.Table.from_arrays(columns, schema=BAND_ROWS), num_rows


def _partition(keys: np.ndarray, num_partitions: int) -> np.ndarray:
    """int32[rows]: which of `num_partitions` equal ranges of 64-bit keys; below 2**32 of them the product fits."""
    return ((keys >> np.uint64(32)) * np.uint64(num_partitions) >> np.uint64(32)).astype(np.int32)


def _check_words(survivors: pa.Table) -> None:
    wordless = np.flatnonzero(column(survivors, "num_words").to_numpy() == 0)
    if wordless.size:
        found = column(survivors, "id")[int(wordless[0])].as_py().hex()
        raise CorruptDataError(f"document {found} has no words and should not have survived `select` (reason `empty`)")
