"""How large a text is, and a hash that tells it from every other."""

from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dataprep import schemas
from dataprep.kernels.text_buffers import text_buffers
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class TextMeasure:
    """`num_bytes` of UTF-8; `content_hash`, the XXH3-128 of the text, big-endian."""

    def fields(self) -> list[pa.Field]:
        return [*counts("num_bytes"), pa.field("content_hash", schemas.ID, nullable=False)]

    def columns(self, batch: Batch) -> list[pa.Array]:
        return [pc.binary_length(batch.text), _content_hashes(batch.text)]


def _content_hashes(text: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    data, offsets = text_buffers(text)
    view = data.data  # a memoryview: its slices copy nothing
    digests = [xxhash.xxh3_128_digest(view[start:end]) for start, end in pairwise(offsets)]
    return pa.Array.from_buffers(schemas.ID, len(text), [None, pa.py_buffer(b"".join(digests))])
