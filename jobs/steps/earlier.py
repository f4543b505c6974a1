"""The documents of earlier corpora in `deduplicate`: what a new crawl brings that an old one has already.

    [jobs.steps.addresses, where `same_url` asks for it] -> old_bands (a shard of an old corpus), new_bands (a shard)
        -> proposed (a partition of keys) -> alike (a shard)

Of the old corpora are read: which documents they keep, their bands and content hashes, and the texts of candidates. The
last phase writes the table `earlier`, which stays: `dataprep.deduplicate.earlier.LOST_TO_EARLIER`.
"""

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.buckets import BAND_ROWS, band_rows
from dataprep.deduplicate.earlier import LIKE_EARLIER, are_exact, likeness, lost_to_earlier, merge_pairs, proposed
from dataprep.deduplicate.edges import distinct_ids
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column, ranges
from dataprep.split import VALIDATION, SplitConfig, held_out
from jobs.by_shard import by_shard, rows_by_id
from jobs.old_shards import OldShards, artifacts_of
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, total
from jobs.steps.addresses import SameUrls, lost_by_address_to_earlier
from jobs.survivors import lost_before, surviving_texts, survivors
from jobs.unit import Unit
from seedbed.artifact import Artifact, Report

MAX_TEXT_BYTES = 256 << 20
"""Of texts that are compared at a time, with about as much for their shingles."""

PAIR_BYTES = 32
"""Of a new document and an old one."""

FACTS = ["id", "num_bytes", "content_hash"]


def find_earlier(
    step: StepRun,
    old: OldShards,
    prefixes: dict[str, str],
    partitions: list[str],
    addresses: SameUrls,
    ngram_words: int,
) -> dict[str, int]:
    """The counts of every phase in turn; none where the run names no earlier corpus. Who lost for their address is not
    looked for by its text."""
    if not old.corpora:
        return {}
    phase, handed_on = step.phases("jobs.steps.earlier"), partial(check_handed_on, step.artifact.kind)
    shards, of_old = list(prefixes), old.arguments(len(partitions))
    old_bands = total(step.map("jobs.steps.earlier:old_bands_unit", old.units, "old_bands", of_old))
    new_bands = phase("new_bands", shards, shards=shards, num_partitions=len(partitions), addresses=addresses)
    num_rows = new_bands.counts["new_band_rows"]
    bands = merged(step, Shuffled("new_bands", shards), len(partitions), num_rows, row_bytes(BAND_ROWS))
    found = phase("proposed", partitions, bands=bands, old_bands=old.written("old_bands"), prefixes=prefixes)
    handed_on("old_band_rows", old_bands, found)
    handed_on("new_band_rows", new_bands, found)
    num_pieces = len(old.corpora) * len(shards)
    pairs = merged(step, Shuffled("old_pairs", partitions), num_pieces, found.counts["old_pair_rows"], PAIR_BYTES)
    told: dict[str, Any] = {"pairs": pairs, "prefixes": prefixes, "addresses": addresses}
    alike = phase("alike", shards, **told, stores=old.stores, ngram_words=ngram_words)
    handed_on("old_pair_rows", found, alike)
    handed_on("earlier_url_losers", Report(counts=addresses.counts), alike)
    return old_bands.counts | {name: number for name, number in alike.counts.items() if name != "old_pair_rows"}


def old_bands_unit(unit: Unit, corpus: dict[str, Any], store: str, shard: str, num_partitions: int) -> Report:
    """Where each document that an old corpus kept of a shard is looked for by its likes."""
    artifacts = artifacts_of(corpus, store)
    kept = artifacts["corpus"].read_table("corpus", shard, ["id"])
    attributes = artifacts["annotate"].read_table("attributes", shard, [*FACTS, "num_words", "minhash_bands"])
    there = rows_of(column(kept, "id"), column(attributes, "id"), "attributes")
    rows, sizes = band_rows(attributes.take(pa.array(there)), num_partitions)
    unit.write_scratch("old_bands", rows, sizes)
    return Report(counts={"old_band_rows": rows.num_rows, "old_documents": kept.num_rows})


def new_bands_unit(unit: Unit, shards: list[str], num_partitions: int, addresses: SameUrls) -> Report:
    """The same of the survivors of a shard that did not go for their address."""
    at = shards.index(unit.name)
    kept = survivors(unit, [*FACTS, "num_words", "minhash_bands"])
    to_earlier = lost_by_address_to_earlier(unit, addresses.lost_to_earlier, at)
    lost = pa.concat_arrays([column(table, "id") for table in (lost_before(unit, addresses.lost, at), to_earlier)])
    rows, sizes = band_rows(kept.filter(pc.invert(pc.is_in(kept["id"], value_set=lost))), num_partitions)
    unit.write_scratch("new_bands", rows, sizes)
    return Report(counts={"new_band_rows": rows.num_rows})


def proposed_unit(unit: Unit, bands: Shuffled, old_bands: list[Shuffled], prefixes: dict[str, str]) -> Report:
    """The pairs of one partition; a piece for each corpus and shard of the new document, corpus by corpus."""
    new = bands.piece(unit.artifact, int(unit.name))
    tables, sizes, num_old = [], [], 0
    for of_corpus in old_bands:
        old = pa.concat_tables([BAND_ROWS.empty_table(), *of_corpus.in_turn(unit.artifact, int(unit.name))])
        num_old += old.num_rows
        pairs, of_shard = by_shard(proposed(new, old), "id", prefixes)
        tables.append(pairs)
        sizes += of_shard
    unit.write_scratch("old_pairs", pa.concat_tables(tables), sizes)
    counts = {"new_band_rows": new.num_rows, "old_band_rows": num_old}
    return Report(counts=counts | {"old_pair_rows": sum(table.num_rows for table in tables)})


def alike_unit(
    unit: Unit,
    pairs: Shuffled,
    prefixes: dict[str, str],
    addresses: SameUrls,
    stores: list[str],
    ngram_words: int,
) -> Report:
    """Compare the texts of a shard's documents with those of their candidates; the verdicts that follow, and those on
    documents whose address an old corpus has."""
    at, facts = list(prefixes).index(unit.name), survivors(unit, FACTS)
    found = [LIKE_EARLIER.empty_table()]
    counts = {"old_pair_rows": 0, "old_candidate_pairs": 0, "old_texts_read": 0}
    for number, (corpus, store) in enumerate(zip(unit.config["earlier"], stores, strict=True)):
        artifacts = artifacts_of(corpus, store)
        group = number * len(prefixes) + at
        parts = list(pairs.in_turn(unit.artifact, group))
        distinct = merge_pairs(parts)
        counts["old_pair_rows"] += sum(part.num_rows for part in parts)
        if distinct.num_rows:
            alike, num_read = _alike(unit, artifacts, distinct, facts, prefixes, ngram_words)
            found.append(alike.append_column("corpus", pa.array([number] * alike.num_rows, pa.int32())))
            counts["old_texts_read"] += num_read
        counts["old_candidate_pairs"] += distinct.num_rows
    out = held_out(facts["id"], SplitConfig.model_validate(unit.config["split"]))
    min_jaccard = unit.config["deduplicate"]["min_jaccard"]
    all_alike = pa.concat_tables([table.cast(LIKE_EARLIER) for table in found])
    by_address = lost_by_address_to_earlier(unit, addresses.lost_to_earlier, at)
    by_text = lost_to_earlier(all_alike, facts, out, min_jaccard)
    lost = pa.concat_tables([by_address, by_text]).sort_by("id")
    unit.write("earlier", lost)
    counts["earlier_url_losers"] = by_address.num_rows
    return Report(counts=counts | {"earlier_losers": lost.num_rows})


def _alike(
    unit: Unit, old: dict[str, Artifact], pairs: pa.Table, facts: pa.Table, prefixes: dict[str, str], ngram_words: int
) -> tuple[pa.Table, int]:
    """`LIKE_EARLIER` without the corpus, and how many of its texts were read."""
    old_prefixes = {shard["unit"]: shard["prefix"] for shard in old["corpus"].committed()["input_shards"]}
    old_facts = rows_by_id(old["annotate"], "attributes", column(pairs, "old"), old_prefixes, FACTS)
    is_exact = are_exact(pairs, facts, old_facts)
    similarity, num_read = np.ones(pairs.num_rows), 0
    unlike = np.flatnonzero(~is_exact)
    differ = pairs.take(pa.array(unlike))
    for start, stop in ranges(_bytes_to_read(differ, facts, old_facts), MAX_TEXT_BYTES):
        some = differ.slice(start, stop - start)
        new_texts = surviving_texts(unit.parents, distinct_ids(column(some, "id"))[0], facts, prefixes)
        old_texts = surviving_texts(old, distinct_ids(column(some, "old"))[0], old_facts, old_prefixes)
        similarity[unlike[start:stop]] = likeness(some, new_texts, old_texts, ngram_words)
        num_read += old_texts.num_rows
    kept = rows_by_id(old["corpus"], "corpus", column(pairs, "old"), old_prefixes, ["id", "split"])
    split = column(kept, "split").take(pa.array(rows_of(column(pairs, "old"), column(kept, "id"), "split")))
    table = pairs.append_column("similarity", pa.array(similarity)).append_column("is_exact", pa.array(is_exact))
    table = table.append_column("is_held_out", pc.equal(split, VALIDATION))
    return table.filter(pa.array(similarity >= unit.config["deduplicate"]["min_jaccard"])), num_read


def _bytes_to_read(pairs: pa.Table, facts: pa.Table, old_facts: pa.Table) -> np.ndarray:
    """int64[pairs + 1]: bytes of text up to each pair, at most: texts of several pairs count as often."""
    each = np.zeros(pairs.num_rows, np.int64)
    for end, known in (("id", facts), ("old", old_facts)):
        each += column(known, "num_bytes").to_numpy()[rows_of(column(pairs, end), column(known, "id"), "size")]
    return np.append(0, np.cumsum(each))
