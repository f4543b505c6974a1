"""`annotate`: what every rule is decided from, measured on the text that survived `clean`."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from dataprep import language, schemas
from dataprep.errors import CorruptDataError
from dataprep.kernels.lines import line_statistics
from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.text_buffers import batches, column, text_buffers
from dataprep.kernels.text_view import surviving_text
from dataprep.kernels.word_statistics import word_statistics
from dataprep.kernels.words import find_words

MAX_BATCH_BYTES = 4 << 20
"""Text measured at a time: its words take up to 7 times as much, and larger batches were no faster (measured)."""


class AnnotateConfig(BaseModel):
    """What decides the values of the attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    minhash: MinHashConfig = Field(default=MinHashConfig(), description="how near-duplicates are sketched")
    language_characters: int = Field(
        default=2000, ge=1, description="codepoints from the start of a document that its language is told from"
    )


def annotate(documents: pa.Table, edits: pa.Table, config: AnnotateConfig) -> pa.Table:
    """The attributes (`schemas.attributes`) of each row of `documents` (`schemas.DOCUMENTS`), seen through `edits`
    (`schemas.EDITS`).

    Raises CorruptDataError where the two tables do not hold the same documents in the same order.
    """
    _check_ids(documents, edits)
    schema = schemas.attributes(config.minhash.num_bands)
    ids, text = column(documents, "id"), column(documents, "text")
    parts = [
        _measure(
            ids.slice(start, stop - start), text.slice(start, stop - start), edits.slice(start, stop - start), config
        )
        for start, stop in batches(text, MAX_BATCH_BYTES)
    ]
    return pa.Table.from_batches([pa.record_batch(part, schema=schema) for part in parts], schema)


def _measure(ids: pa.Array, text: pa.LargeStringArray, edits: pa.Table, config: AnnotateConfig) -> list[pa.Array]:
    """The columns of `schemas.attributes` for one batch."""
    text = surviving_text(text, edits)
    words = find_words(text)
    counts = word_statistics(words)
    lines = line_statistics(text)
    languages, scores_e4 = language.identify(text, config.language_characters)
    bands = band_hashes(minhash_signatures(words, config.minhash), config.minhash)
    return [
        ids,
        pc.binary_length(text),
        _content_hashes(text),
        languages,
        pa.array(scores_e4),
        pa.array(lines.num_characters),
        pa.array(counts.num_words),
        pa.array(counts.num_word_characters),
        pa.array(counts.num_words_with_letter),
        pa.array(counts.num_stop_words),
        pa.array(lines.num_hashes),
        pa.array(lines.num_ellipses),
        pa.array(lines.num_lines),
        pa.array(lines.num_bullet_lines),
        pa.array(lines.num_ellipsis_lines),
        pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), config.minhash.num_bands),
    ]


def _content_hashes(text: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of each text, big-endian."""
    data, offsets = text_buffers(text)
    view = data.data  # a memoryview: its slices copy nothing
    digests = [xxhash.xxh3_128_digest(view[start:end]) for start, end in pairwise(offsets)]
    return pa.Array.from_buffers(schemas.ID, len(text), [None, pa.py_buffer(b"".join(digests))])


def _check_ids(documents: pa.Table, edits: pa.Table) -> None:
    if documents.num_rows != edits.num_rows:
        raise CorruptDataError(f"{documents.num_rows} documents, but edits for {edits.num_rows}: not of one shard")
    ours, theirs = column(documents, "id"), column(edits, "id")
    if not ours.equals(theirs):
        row = int(np.flatnonzero(pc.not_equal(ours, theirs).to_numpy(zero_copy_only=False))[0])
        raise CorruptDataError(
            f"row {row}: document {ours[row].as_py().hex()} stands beside the edits of {theirs[row].as_py().hex()}"
        )
