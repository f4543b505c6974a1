"""In how many documents each n-gram stands: what is in many is common text, and gives no item away.

hits of a shard --counts--> n-gram, documents --add up, over all shards--> common n-grams
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.kernels.text_buffers import column

COUNTS = pa.schema(
    [pa.field("ngram", pa.int64(), nullable=False), pa.field("num_documents", pa.int64(), nullable=False)]
)
"""By n-gram, ascending."""


def document_counts(hits: pa.Table) -> pa.Table:
    """`COUNTS` of the hits (`scan.HITS`) of one shard, in which all hits of a document are."""
    pairs = hits.select(["document", "ngram"]).group_by(["document", "ngram"]).aggregate([])
    counted = pairs.group_by("ngram").aggregate([([], "count_all")]).rename_columns(COUNTS.names)
    return counted.cast(COUNTS).sort_by("ngram").combine_chunks()


def common_ngrams(parts: Iterable[pa.Table], num_ngrams: int, max_documents: int | None) -> pa.Table:
    """`COUNTS` of the n-grams that stand in more than `max_documents` documents of all parts together; none where it is
    null. Memory: 8 bytes for each of the `num_ngrams` of the index."""
    totals = np.zeros(num_ngrams, np.int64)
    for part in parts:
        totals[column(part, "ngram").to_numpy()] += column(part, "num_documents").to_numpy()
    common = np.empty(0, np.int64) if max_documents is None else np.flatnonzero(totals > max_documents)
    return pa.Table.from_arrays([pa.array(common), pa.array(totals[common])], schema=COUNTS)


def without_common(hits: pa.Table, common: pa.Table) -> pa.Table:
    """The hits of n-grams that count."""
    return hits.filter(pc.invert(pc.is_in(hits["ngram"], column(common, "ngram")))).combine_chunks()
