"""`deduplicate`: which survivors of `select` are copies, and which are too many of their domain, over all input shards
together; writes `verdicts`.

    bands (a unit a shard) -> candidates (a partition) -> verify (a shard) -> groups (one) -> map (a shard)
    with `domain_cap`, before map:                      domains (a shard) -> caps (a partition) -> map

Between phases everything goes through files whose row groups are what one unit of the next phase wants, so a unit
reads ranges and no worker holds more than its own share.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.corpus import check_content
from dataprep.deduplicate.buckets import band_rows
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.components import components
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import merge_edges
from dataprep.deduplicate.keeper import losers, verdicts
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.verify import ids_to_read, verify
from dataprep.domain_cap import REASONS, DomainCapConfig, domain_rows, over_cap
from dataprep.errors import CorruptDataError
from dataprep.kernels.text_buffers import column
from dataprep.kernels.text_view import surviving_text
from dataprep.schemas import EDITS, ID
from dataprep.split import SplitConfig
from dataprep.tally import tally, tally_by_reason
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Artifact, Report
from seedbed.errors import ConservationError

SURVIVORS_PER_PARTITION = 1_000_000
"""Documents whose bands make one partition of the shuffle: 15 rows of 28 bytes each, 400 MB for its unit."""

FACTS = ["id", "num_bytes", "num_words", "content_hash"]


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    prefixes = step.input_shards()
    shards = list(prefixes)
    ngram_words = step.parents["annotate"].committed()["config"]["minhash"]["ngram_words"]
    survivors = step.parents["select"].committed()["records_out"]
    partitions = [f"{n:05d}" for n in range(survivors // SURVIVORS_PER_PARTITION + 1)]

    def all_units(units: list[str], **arguments: Any) -> dict[str, dict[str, Any]]:
        return dict.fromkeys(units, arguments)

    def phase(name: str, units: list[str], **arguments: Any) -> Report:
        function = f"jobs.steps.deduplicate:{name}_unit"
        return total(step.map(function, units, phase=name, arguments=all_units(units, **arguments)))

    bands = phase("bands", shards, num_partitions=len(partitions))
    found = phase("candidates", partitions, prefixes=prefixes)
    _check_handed_on("band_rows", bands, found)
    verified = phase("verify", shards, prefixes=prefixes, partitions=partitions, ngram_words=ngram_words)
    _check_handed_on("proposed_pairs", found, verified)
    groups = phase("groups", ["all"], prefixes=prefixes)
    _check_handed_on("verified_pairs", verified, groups)
    counts = bands.counts | found.counts | verified.counts | groups.counts
    capped = None
    if "domain_cap" in step.config:
        domains = phase("domains", shards, shards=shards, num_partitions=len(partitions))
        capped = phase("caps", partitions, prefixes=prefixes)
        _check_handed_on("domain_rows", domains, capped)
        counts |= domains.counts | capped.counts
    arguments = all_units(shards, shards=shards, partitions=partitions if capped else [])
    reports = step.map("jobs.steps.deduplicate:verdicts_unit", shards, arguments=arguments)
    step.check_takes_all(reports, "select")
    summed = total(reports)
    _check_handed_on("losers", groups, summed)
    if capped:
        _check_handed_on("over_domain_cap", capped, summed)
    step.commit(replace(summed, counts=counts))


def _check_handed_on(what: str, before: Report, after: Report) -> None:
    """Raises ConservationError unless a phase has read as many rows as the one before it has written."""
    if before.counts[what] != after.counts[what]:
        raise ConservationError(
            f"deduplicate: {before.counts[what]:,} {what} were written, but {after.counts[what]:,} were read"
        )


def _survivors(unit: Unit, shard: str, columns: list[str]) -> pa.Table:
    """The rows of `attributes` that `select` kept. Raises CorruptDataError where the two do not hold the same rows."""
    attributes = unit.parents["annotate"].read_table("attributes", shard, columns)
    verdicts = unit.parents["select"].read_table("verdicts", shard, ["id", "reason"])
    if not attributes["id"].equals(verdicts["id"]):
        raise CorruptDataError(f"{shard}: the verdicts of select do not stand beside the attributes of the same ids")
    return attributes.filter(pc.is_null(verdicts["reason"]))


def bands_unit(unit: Unit, num_partitions: int) -> Report:
    """Where each survivor of a shard is looked for by its likes."""
    survivors = _survivors(unit, unit.name, [*FACTS, "minhash_bands"])
    rows, row_groups = band_rows(survivors, num_partitions)
    unit.write_scratch("bands", rows, row_groups)
    return Report(counts={"band_rows": rows.num_rows})


def candidates_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """The pairs that one partition of keys proposes, grouped by the shard of the smaller id."""
    parts = [_row_group(unit.artifact, "bands", shard, int(unit.name)) for shard in prefixes]
    found = candidates(parts, unit.config["deduplicate"]["max_bucket"])
    edges, row_groups = _by_shard(found.edges, "low", prefixes)
    unit.write_scratch("candidates", edges, row_groups)
    counts = {"buckets": found.num_buckets, "large_buckets": found.num_large_buckets}
    counts |= {"band_rows": sum(part.num_rows for part in parts), "proposed_pairs": edges.num_rows}
    return Report(counts=counts)


def verify_unit(unit: Unit, prefixes: dict[str, str], partitions: list[str], ngram_words: int) -> Report:
    """Compare the texts of the pairs whose smaller id is in this shard."""
    shards = list(prefixes)
    at = shards.index(unit.name)
    proposed = [_row_group(unit.artifact, "candidates", part, at) for part in partitions]
    edges = merge_edges(proposed)
    ends = pa.chunked_array([*edges["low"].chunks, *edges["high"].chunks], ID)
    hashes = _rows_by_id(unit.parents["annotate"], "attributes", ends, prefixes, ["id", "content_hash"])
    texts = _surviving_texts(unit, ids_to_read(edges, hashes), prefixes)
    ids = column(texts, "id")
    seen = hashes.take(rows_of(ids, column(hashes, "id"), "content hash"))
    check_content(ids, column(texts, "text"), column(seen, "content_hash"))
    verified = verify(edges, hashes, texts, ngram_words, unit.config["deduplicate"]["min_jaccard"])
    unit.write_scratch("verified", verified.edges)
    counts = {"proposed_pairs": sum(part.num_rows for part in proposed), "candidate_pairs": edges.num_rows}
    counts |= {"rejected_pairs": verified.num_rejected, "verified_pairs": verified.edges.num_rows}
    return Report(counts=counts)


def groups_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """Join the verified pairs of all shards to groups and choose each group's keeper."""
    edges = pa.concat_tables([unit.artifact.read_table("scratch/verified", shard) for shard in prefixes])
    grouped = components(edges)
    facts = _rows_by_id(unit.parents["annotate"], "attributes", grouped["id"], prefixes, FACTS)
    config = DeduplicateConfig.model_validate(unit.config["deduplicate"])
    split = SplitConfig.model_validate(unit.config["split"])
    lost = losers(grouped, edges, facts, split, config)
    rows, row_groups = _by_shard(lost, "id", prefixes)
    unit.write_scratch("losers", rows, row_groups)
    counts = {"groups": len(pc.unique(grouped["component"])), "losers": lost.num_rows}
    return Report(counts=counts | {"verified_pairs": edges.num_rows})


def domains_unit(unit: Unit, shards: list[str], num_partitions: int) -> Report:
    """The documents of a shard that are no copies, by domain."""
    survivors = _survivors(unit, unit.name, ["id", "num_bytes"])
    lost = _row_group(unit.artifact, "losers", "all", shards.index(unit.name))
    unique = survivors.filter(pc.invert(pc.is_in(survivors["id"], column(lost, "id"))))
    documents = unit.parents["extract"].read_table("documents", unit.name, ["id", "url"])
    rows, row_groups = domain_rows(unique, documents, num_partitions)
    unit.write_scratch("domains", rows, row_groups)
    return Report(counts={"domain_rows": rows.num_rows, "no_domain": unique.num_rows - rows.num_rows})


def caps_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """Hold the domains of one partition to their cap; what goes, by shard."""
    rows = pa.concat_tables([_row_group(unit.artifact, "domains", shard, int(unit.name)) for shard in prefixes])
    goes = over_cap(rows, DomainCapConfig.model_validate(unit.config["domain_cap"]))
    by_shard, row_groups = _by_shard(goes, "id", prefixes)
    unit.write_scratch("capped", by_shard, row_groups)
    counts = {"domain_rows": rows.num_rows, "domains": len(pc.unique(rows["domain"]))}
    return Report(counts=counts | {"over_domain_cap": goes.num_rows})


def verdicts_unit(unit: Unit, shards: list[str], partitions: list[str]) -> Report:
    """The verdict on every survivor of a shard."""
    survivors = _survivors(unit, unit.name, ["id", "num_bytes"])
    at = shards.index(unit.name)
    lost = [_row_group(unit.artifact, "losers", "all", at)]
    lost += [_row_group(unit.artifact, "capped", part, at) for part in partitions]
    decided = verdicts(survivors, pa.concat_tables(lost))
    unit.write("verdicts", decided)
    over = pc.sum(pc.is_in(decided["reason"], value_set=pa.array(REASONS))).as_py() or 0
    return Report(
        tally_in=tally(survivors, "num_bytes"),
        tally_out=tally(decided.filter(pc.is_null(decided["reason"])), "num_bytes"),
        dropped=tally_by_reason(decided, "num_bytes"),
        counts={"losers": decided.num_rows - decided["reason"].null_count - over, "over_domain_cap": over},
    )


def _row_group(artifact: Artifact, table: str, part: str, group: int) -> pa.Table:
    with artifact.open_parquet(f"scratch/{table}", part) as file:
        return file.read_row_group(group, use_threads=False)


def _by_shard(rows: pa.Table, key: str, prefixes: dict[str, str]) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their shards, and how many each shard has."""
    shard_of_row = _shards_of(rows[key], prefixes)
    order = np.argsort(shard_of_row, kind="stable")
    return rows.take(pa.array(order)), np.bincount(shard_of_row, minlength=len(prefixes)).tolist()


def _shards_of(ids: pa.ChunkedArray, prefixes: dict[str, str]) -> np.ndarray:
    """int64[rows]: the place of each id's shard among `prefixes` (unit -> hex of what leads its ids)."""
    firsts = [document_id.pack(bytes.fromhex(prefix), 0) for prefix in prefixes.values()]
    leads = pc.binary_slice(pc.cast(ids, pa.binary()), 0, document_id.PREFIX_BYTES)
    known = pa.array([first[: document_id.PREFIX_BYTES] for first in firsts], pa.binary())
    return pc.index_in(leads, known).to_numpy().astype(np.int64)


def _rows_by_id(
    artifact: Artifact, table: str, ids: pa.ChunkedArray | pa.Array, prefixes: dict[str, str], columns: list[str]
) -> pa.Table:
    """The rows of these ids, from whichever shards they are in; only their row groups are read."""
    distinct = pc.unique(ids)
    shard_of_id = _shards_of(distinct, prefixes)
    parts = []
    for number, shard in enumerate(prefixes):
        wanted = distinct.filter(pa.array(shard_of_id == number))
        if len(wanted):
            parts.append(artifact.read_rows(table, shard, wanted, columns))
    if not parts:
        return artifact.read_table(table, next(iter(prefixes)), columns).slice(0, 0)
    return pa.concat_tables(parts)


def _surviving_texts(unit: Unit, ids: pa.Array, prefixes: dict[str, str]) -> pa.Table:
    documents = _rows_by_id(unit.parents["extract"], "documents", ids, prefixes, ["id", "text"])
    edits = _rows_by_id(unit.parents["clean"], "edits", ids, prefixes, EDITS.names)
    text = surviving_text(documents["text"].combine_chunks(), edits)
    return pa.table({"id": documents["id"], "text": text})
