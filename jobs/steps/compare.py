"""Pairs of documents held against each other's texts, wherever the two lie: how `deduplicate` compares candidates, and
the members of a group with its first.

    pairs, in the pieces of the shards of both their ends
        -> gather (a shard): each pair once, and how much text it will take
        -> texts (a shard): the pairs of its smaller ids, and its own texts that pairs want, by partition of blocks
            -> verify (a partition of blocks): the pairs that are alike, by who asked

The texts go to the pairs in one more shuffle, and no unit reads another shard's documents: a document is read once, is
sent once for each partition that wants it (for nearly all that is one: `dataprep.deduplicate.blocks`), and what a unit
reads are ranges.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.corpus import check_content
from dataprep.deduplicate.blocks import (
    BLOCK_PAIRS,
    batches,
    distinct_within,
    ends_among,
    in_order_of_blocks,
    merge_blocks,
    text_bytes,
)
from dataprep.deduplicate.edges import VERIFIED_EDGES
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.verify import ids_to_read, verify
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.schemas import DOCUMENTS, ID
from jobs.by_shard import by_both_shards, partition_by_hash, shards_of
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on
from jobs.survivors import own_texts
from jobs.unit import Unit
from seedbed.artifact import Report

PARTITION_TEXT_BYTES = 128 << 20
"""Of texts that one unit compares, with about as much for their shingles. Blocks are spread by a hash: of many the sum
is near this."""

PARTITION_PAIRS = 1_000_000
"""Pairs of one partition, 52 bytes each and as much to sort them."""

MAX_TEXT_BYTES = 256 << 20
"""Of texts that are in memory at a time, should a partition have more: then its ranges are read again for each."""

MERGE_ROWS = 1_000_000
"""Rows of pairs that wait to be merged, or as many as there are distinct ones by then; 270 bytes each while they are
merged (measured)."""

BLOCK_SEED = 0x5B10
"""Keeps the partitions of blocks apart from every other use of the hash of an id."""

FACTS = ["id", "num_bytes", "content_hash"]

SENT = pa.schema(
    [
        pa.field("id", ID, nullable=False),
        pa.field("num_bytes", pa.int64(), nullable=False),  # of the surviving text
        pa.field("content_hash", ID, nullable=False),
        pa.field("text", DOCUMENTS.field("text").type, nullable=False),  # that survives `clean`
    ]
)
"""What is sent of a document; in a partition each stands once."""


@dataclass(frozen=True)
class Names:
    """Of one time that pairs are compared: the table of the pairs, the three phases, and the table of what is alike."""

    pairs: str  # blocks.BLOCK_PAIRS, written by `write_pairs`
    gather: str
    texts: str
    verify: str
    verified: str  # edges.VERIFIED_EDGES, a piece for each target

    @property
    def rows(self) -> str:
        """The count of rows of the table of the pairs."""
        return f"{self.pairs}_rows"


def write_pairs(unit: Unit, names: Names, pairs: pa.Table, prefixes: dict[str, str]) -> dict[str, int]:
    """Hand `blocks.BLOCK_PAIRS` to `compare_pairs`; the count."""
    rows, sizes = by_both_shards(pairs, prefixes)
    unit.write_scratch(names.pairs, rows, sizes)
    return {names.rows: rows.num_rows}


def compare_pairs(
    step: StepRun,
    names: Names,
    parts: list[str],
    written: Report,
    prefixes: dict[str, str],
    num_targets: int,
    ngram_words: int,
    min_jaccard: float,
) -> tuple[Shuffled, Report]:
    """Every phase in turn, on the pairs that the units `parts` wrote; what is alike, by target, and the counts of
    pairs: `candidate_pairs`, `rejected_pairs`, `verified_pairs`.

    Raises ConservationError where a pair or a text is lost between two phases.
    """
    phase, handed_on = step.phases("jobs.steps.compare"), partial(check_handed_on, step.artifact.kind)
    shards, num_rows = list(prefixes), written.counts[names.rows]
    proposed = merged(step, Shuffled(names.pairs, parts), len(shards), num_rows, row_bytes(BLOCK_PAIRS))
    gathered = phase("gather", shards, names.gather, proposed=proposed, counted_as=names.rows, prefixes=prefixes)
    handed_on(names.rows, written, gathered)
    num_pairs, text_bytes = gathered.counts["pairs"], gathered.counts["text_bytes"]
    num_partitions = max(num_pairs // PARTITION_PAIRS, text_bytes // PARTITION_TEXT_BYTES) + 1
    cut = {"table": names.gather, "prefixes": prefixes, "num_partitions": num_partitions}
    sent = phase("texts", shards, names.texts, **cut)
    handed_on("pairs", gathered, sent)
    pairs = merged(step, Shuffled(f"{names.texts}_pairs", shards), num_partitions, num_pairs, row_bytes(BLOCK_PAIRS))
    num_texts = sent.counts["texts"]
    texts = merged(step, Shuffled(names.texts, shards), num_partitions, num_texts, text_bytes / max(num_texts, 1))
    partitions = [f"{n:05d}" for n in range(num_partitions)]
    how = {"ngram_words": ngram_words, "min_jaccard": min_jaccard}
    into = {"table": names.verified, "num_targets": num_targets}
    verified = phase("verify", partitions, names.verify, pairs=pairs, texts=texts, **how, **into)
    handed_on("pairs", sent, verified)
    handed_on("texts", sent, verified)
    for read in (pairs, texts):  # texts lie nowhere longer than they have to
        step.artifact.delete_scratch(read.table)
    counts = {name: verified.counts[name] for name in ("rejected_pairs", "verified_pairs")}
    alike = merged(
        step, Shuffled(names.verified, partitions), num_targets, counts["verified_pairs"], row_bytes(VERIFIED_EDGES)
    )
    return alike, Report(counts={"candidate_pairs": num_pairs} | counts)


def gather_unit(unit: Unit, proposed: Shuffled, counted_as: str, prefixes: dict[str, str]) -> Report:
    """The pairs with an end in this shard, each once, and how much text of the shard they want."""
    at = list(prefixes).index(unit.name)
    pairs, num_rows = _distinct(proposed.in_turn(unit.artifact, at))
    unit.write_scratch(unit.phase, pairs)
    counts = {counted_as: num_rows, "pairs": int(_is_of(pairs, "low", at, prefixes).sum())}
    return Report(counts=counts | {"text_bytes": text_bytes(pairs, _own_facts(unit, pairs, at, prefixes))})


def _distinct(tables: Iterable[pa.Table]) -> tuple[pa.Table, int]:
    """Their pairs, each once, and how many rows they had: merged as they come, so that a pair that shares all bands is
    in memory twice and not nineteen times."""
    pairs, waiting, num_rows, num_waiting = BLOCK_PAIRS.empty_table(), list[pa.Table](), 0, 0
    for table in tables:
        waiting.append(table)
        num_rows, num_waiting = num_rows + table.num_rows, num_waiting + table.num_rows
        if num_waiting > max(MERGE_ROWS, pairs.num_rows):
            pairs, waiting, num_waiting = merge_blocks([pairs, *waiting]), [], 0
    return merge_blocks([pairs, *waiting]), num_rows


def _is_of(pairs: pa.Table, end: str, at: int, prefixes: dict[str, str]) -> np.ndarray:
    """bool[pairs]: whether this end lies in the shard with this number."""
    return shards_of(pairs[end], prefixes) == at


def _own_facts(unit: Unit, pairs: pa.Table, at: int, prefixes: dict[str, str]) -> pa.Table:
    """`FACTS` of the shard's own documents in `pairs`. Raises CorruptDataError where one has none."""
    ends = [pairs[end].filter(pa.array(_is_of(pairs, end, at, prefixes))) for end in ("low", "high")]
    ids = pc.unique(pa.chunked_array([chunk for end in ends for chunk in end.chunks], ID))
    facts = unit.parents["annotate"].read_rows("attributes", unit.name, ids, FACTS)
    rows_of(ids, column(facts, "id"), "attributes")
    return facts


def texts_unit(unit: Unit, table: str, prefixes: dict[str, str], num_partitions: int) -> Report:
    """Send the pairs of the shard's smaller ids to their partitions, and the shard's texts to those that want them."""
    at = list(prefixes).index(unit.name)
    pairs = unit.artifact.read_scratch(table, unit.name)
    partition = partition_by_hash(column(pairs, "block"), num_partitions, BLOCK_SEED)
    own = np.flatnonzero(_is_of(pairs, "low", at, prefixes))
    own = own[np.argsort(partition[own], kind="stable")]
    sizes = np.bincount(partition[own], minlength=num_partitions).tolist()
    unit.write_scratch(f"{unit.phase}_pairs", pairs.take(pa.array(own)), sizes)

    facts = _own_facts(unit, pairs, at, prefixes)
    of_pair, of_id = ends_among(pairs, column(facts, "id"))
    wanted_by, rows = distinct_within(partition[of_pair], of_id)
    sizes = np.bincount(wanted_by, minlength=num_partitions).tolist()
    texts = _own_texts(unit, facts)
    unit.write_scratch_pieces(unit.phase, SENT, _cut(texts, rows, sizes))
    return Report(counts={"pairs": len(own), "texts": len(rows)})


def _own_texts(unit: Unit, facts: pa.Table) -> pa.Table:
    """`SENT` of the documents in `facts`, row by row. Raises CorruptDataError where they are not those with a text."""
    ids, parts = [pa.array([], ID)], [pa.array([], SENT.field("text").type)]
    for texts in own_texts(unit, facts):
        ids.append(column(texts, "id"))
        parts.append(column(texts, "text"))
    found = pa.concat_arrays(ids)
    if not found.equals(column(facts, "id")):
        raise CorruptDataError(
            f"{unit.name}: {facts.num_rows:,} documents are to be compared, but the {len(found):,} texts that were "
            f"found are not theirs, one by one"
        )
    columns = [column(facts, name).cast(SENT.field(name).type) for name in FACTS]
    return pa.Table.from_arrays([*columns, pa.concat_arrays(parts)], schema=SENT)


def _cut(texts: pa.Table, rows: np.ndarray, sizes: list[int]) -> Iterator[pa.Table]:
    """These rows, so many at a time: a text that several partitions want is in memory once."""
    start = 0
    for size in sizes:
        yield texts.take(pa.array(rows[start : start + size]))
        start += size


def verify_unit(
    unit: Unit,
    pairs: Shuffled,
    texts: Shuffled,
    ngram_words: int,
    min_jaccard: float,
    table: str,
    num_targets: int,
) -> Report:
    """Compare the texts of the pairs of one partition of blocks."""
    to_compare = in_order_of_blocks(pairs.piece(unit.artifact, int(unit.name)))
    facts, in_memory = _read_sent(unit, texts)
    parts, rows, num_rejected = [VERIFIED_EDGES.empty_table()], [np.empty(0, np.int64)], 0
    for start, stop in batches(to_compare, facts, MAX_TEXT_BYTES):
        some = to_compare.slice(start, stop - start)
        wanted = ids_to_read(some, facts)
        if in_memory is None:
            there = _read_texts(unit, texts, wanted)
        else:
            there = in_memory.filter(pc.is_in(in_memory["id"], value_set=wanted))
        found = verify(some, facts, there, ngram_words, min_jaccard)
        parts.append(found.edges)
        rows.append(start + found.rows)
        num_rejected += found.num_rejected
    target = column(to_compare, "target").to_numpy()[np.concatenate(rows)]
    edges = pa.concat_tables(parts).take(pa.array(np.argsort(target, kind="stable")))
    unit.write_scratch(table, edges, np.bincount(target, minlength=num_targets).tolist())
    counts = {"pairs": to_compare.num_rows, "texts": facts.num_rows}
    return Report(counts=counts | {"rejected_pairs": num_rejected, "verified_pairs": edges.num_rows})


def _read_sent(unit: Unit, sent: Shuffled) -> tuple[pa.Table, pa.Table | None]:
    """`FACTS` of what was sent to a partition; with the texts, where they fit into memory at a time."""
    facts: list[pa.Table] = []
    texts, num_bytes = [SENT.empty_table()], 0
    for rows in sent.in_turn(unit.artifact, int(unit.name)):
        texts.append(rows)
        num_bytes += rows.nbytes
        if num_bytes > MAX_TEXT_BYTES:
            seen = pa.concat_tables(texts).select(FACTS)
            facts.append(seen.take(np.arange(seen.num_rows)))  # copied: they must not keep the texts
            texts, num_bytes = [SENT.empty_table()], 0
    last = pa.concat_tables(texts).combine_chunks()
    if not facts:
        return last.select(FACTS), _checked(last)
    return pa.concat_tables([*facts, last.select(FACTS)]).combine_chunks(), None


def _read_texts(unit: Unit, sent: Shuffled, wanted: pa.Array) -> pa.Table:
    """`SENT` of these documents, where a partition has too many for memory."""
    read = sent.in_turn(unit.artifact, int(unit.name))
    found = [rows.filter(pc.is_in(rows["id"], value_set=wanted)) for rows in read]
    return _checked(pa.concat_tables(found).combine_chunks())


def _checked(texts: pa.Table) -> pa.Table:
    """The same. Raises CorruptDataError where a text is not the one that `annotate` has seen."""
    check_content(column(texts, "id"), column(texts, "text"), column(texts, "content_hash"))
    return texts
