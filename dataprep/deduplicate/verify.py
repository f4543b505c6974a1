"""Candidates held against the texts themselves."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.edges import VERIFIED_EDGES, distinct_ids
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.jaccard import ShingleSets, jaccard, shingle_sets
from dataprep.kernels.text_buffers import batches, column
from dataprep.kernels.words import find_words

MAX_BATCH_BYTES = 4 << 20
"""Text whose words are found at a time: they take up to 7 times as much memory."""


@dataclass(frozen=True)
class Verified:
    """`edges` (`edges.VERIFIED_EDGES`) of documents that are alike, which of the candidates they are (int64, their
    rows, ascending), and how many were not."""

    edges: pa.Table
    rows: np.ndarray
    num_rejected: int


def ids_to_read(edges: pa.Table, content_hashes: pa.Table) -> pa.Array:
    """The ids, ascending, whose texts `verify` wants: those of candidates that are not exact copies."""
    differ = ~_same_content(edges, content_hashes)
    unlike = edges.filter(pa.array(differ))
    return distinct_ids(pa.concat_arrays([column(unlike, "low"), column(unlike, "high")]))[0]


def verify(
    edges: pa.Table, content_hashes: pa.Table, texts: pa.Table, ngram_words: int, min_jaccard: float
) -> Verified:
    """The edges whose documents share at least `min_jaccard` of their word n-grams, with that share.

    `edges` is any slice of `edges.EDGES`; `content_hashes` holds `id` and `content_hash` of every document in them,
    `texts` holds `id` and the surviving `text` of at least those of `ids_to_read`, both in any order. Equal content
    hashes are a similarity of 1.0. Raises CorruptDataError where a document is missing.
    """
    similarity = np.ones(edges.num_rows, np.float64)
    unlike = np.flatnonzero(~_same_content(edges, content_hashes))
    pairs = edges.take(unlike)
    sets = shingle_sets_of(column(texts, "text"), ngram_words)
    rows = [rows_of(column(pairs, end), column(texts, "id"), "text") for end in ("low", "high")]
    similarity[unlike] = jaccard(sets, rows[0], sets, rows[1])
    alike = similarity >= min_jaccard
    columns = [column(edges, "low"), column(edges, "high"), pa.array(similarity)]
    verified = pa.Table.from_arrays(columns, schema=VERIFIED_EDGES).filter(pa.array(alike))
    return Verified(verified, np.flatnonzero(alike), num_rejected=int((~alike).sum()))


def _same_content(edges: pa.Table, content_hashes: pa.Table) -> np.ndarray:
    ids, hashes = column(content_hashes, "id"), column(content_hashes, "content_hash")
    low, high = (hashes.take(rows_of(column(edges, end), ids, "content hash")) for end in ("low", "high"))
    return pc.equal(low, high).to_numpy(zero_copy_only=False)


def shingle_sets_of(text: pa.LargeStringArray, ngram_words: int) -> ShingleSets:
    """The sets of all texts, found batch by batch."""
    parts = [
        shingle_sets(find_words(text.slice(start, stop - start)), ngram_words)
        for start, stop in batches(text, MAX_BATCH_BYTES)
    ]
    sizes = [np.diff(part.offsets) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]) if parts else np.zeros(1)
    hashes = np.concatenate([part.hashes for part in parts]) if parts else np.empty(0, np.uint64)
    return ShingleSets(offsets.astype(np.int64), hashes)
