"""Deduplication of one table of texts in memory: what `jobs.steps.deduplicate` calls, without its files."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.deduplication.texts import BATCH_BYTES
from dataprep import document_id, schemas
from dataprep.deduplicate.buckets import band_rows
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.components import components
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.keeper import far_pairs, losers, members_of
from dataprep.deduplicate.verify import ids_to_read, verify
from dataprep.kernels.minhash import MinHashConfig
from dataprep.kernels.text_buffers import batches
from dataprep.measures.batch import Batch
from dataprep.measures.minhash import MinHashMeasure
from dataprep.measures.text import TextMeasure
from dataprep.split import SplitConfig


@dataclass(frozen=True)
class Deduplicated:
    """`candidates` (`edges.EDGES`), `verified` (`edges.VERIFIED_EDGES`) and `losers` (`schemas.VERDICTS`) over
    `ids`."""

    candidates: pa.Table
    verified: pa.Table
    losers: pa.Table


def ids(num_documents: int) -> pa.Array:
    prefix = document_id.file_prefix("benchmark", "texts")
    return pa.array([document_id.pack(prefix, row) for row in range(num_documents)], schemas.ID)


def attributes(text: pa.LargeStringArray, config: MinHashConfig) -> pa.Table:
    """What `deduplicate` reads of `attributes`, row for row."""
    names = ids(len(text))
    measures = [TextMeasure(), MinHashMeasure(config)]
    fields = [pa.field("id", schemas.ID), *[f for m in measures for f in m.fields()], pa.field("num_words", pa.int64())]
    parts = []
    for start, stop in batches(text, BATCH_BYTES):
        batch = Batch(names.slice(start, stop - start), text.slice(start, stop - start))
        columns = [array for measure in measures for array in measure.columns(batch)]
        num_words = pa.array(np.diff(batch.words.offsets))
        parts.append(pa.record_batch([batch.ids, *columns, num_words], schema=pa.schema(fields)))
    return pa.Table.from_batches(parts, pa.schema(fields))


def deduplicate(text: pa.LargeStringArray, minhash: MinHashConfig, config: DeduplicateConfig) -> Deduplicated:
    """Every text has a word."""
    facts = attributes(text, minhash)
    rows, _ = band_rows(facts, num_partitions=1)
    edges = candidates([rows], config.max_bucket).edges

    def texts(pairs: pa.Table) -> pa.Table:
        wanted = ids_to_read(pairs, facts)
        return pa.table({"id": wanted, "text": text.take(pa.array(row_numbers(wanted)))})

    verified = verify(edges, facts, texts(edges), minhash.ngram_words, config.min_jaccard).edges
    members = members_of(components(verified), facts)
    far = far_pairs(members, verified, SplitConfig(), config)
    compared = verify(far, facts, texts(far), minhash.ngram_words, min_jaccard=0.0).edges
    return Deduplicated(edges, verified, losers(members, verified, compared, SplitConfig(), config).verdicts)


def row_numbers(names: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """int64: the rows that `ids` gave these names to."""
    _, low = document_id.words(names)
    return (low & np.uint64((1 << document_id.RECORD_BITS) - 1)).astype(np.int64)
