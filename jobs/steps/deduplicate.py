"""`deduplicate`: which survivors of `select` are copies, and which are too many of their domain, over all input shards
together; writes `verdicts`.

    [old_bands -> new_bands -> proposed -> alike: jobs.steps.earlier, where earlier corpora are named]
    [urls (a unit a shard) -> same_url (a partition of addresses): jobs.steps.addresses, where `same_url` asks for it]
        -> bands (a shard) -> candidates (a partition of keys) -> verify (a shard) -> components (jobs.steps.components)
        -> members (a shard) -> far (a partition of groups) -> compare (a shard) -> groups (a partition of groups)
        [plants ride on bands and candidates: jobs.steps.plants]
        [-> domains (a shard) -> caps (a partition of domains): jobs.steps.domain_caps, where there is a `domain_cap`]
        -> map (a shard)

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
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import VERIFIED_EDGES, merge_edges
from dataprep.deduplicate.guard import NUM_SHOWN, largest_groups
from dataprep.deduplicate.keeper import far_pairs, losers, members_of, verdicts
from dataprep.deduplicate.lookup import rows_of
from dataprep.deduplicate.verify import Verified, ids_to_read, verify
from dataprep.domain_cap import REASONS as OVER_CAP
from dataprep.kernels.text_buffers import column, ranges
from dataprep.kernels.text_view import surviving_text
from dataprep.schemas import EDITS, ID
from dataprep.split import SplitConfig
from dataprep.tally import tally, tally_by_reason
from jobs.by_shard import by_shard, row_group, row_groups, rows_by_id
from jobs.step_run import StepRun, total
from jobs.steps.components import Phase, find_components
from jobs.steps.earlier import find_earlier
from jobs.steps.losses import check_losses, counts_by_language, losses
from jobs.steps.plants import measure_plants, meet, plant
from jobs.survivors import lost_before, lost_to_earlier, survivors
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError

SURVIVORS_PER_PARTITION = 1_000_000
"""Documents whose bands make one partition of the shuffle: 19 rows of 28 bytes each, 530 MB for its unit."""

PAIRS_PER_PARTITION = 2_000_000
"""Verified pairs whose groups are decided together: 40 bytes a pair and 60 a document, and as much to sort them."""

MAX_TEXT_BYTES = 256 << 20
"""Of texts that are compared at a time, with about as much for their shingles."""

GROUP_SEED = 0x6209
"""Keeps the partitions of groups apart from every other use of the hash of an id."""

FACTS = ["id", "num_bytes", "num_words", "content_hash"]


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    prefixes = step.input_shards()
    shards = list(prefixes)
    minhash = step.parents["annotate"].committed()["config"]["minhash"]
    ngram_words = minhash["ngram_words"]
    num_survivors = step.parents["select"].committed()["records_out"]
    partitions = [f"{n:05d}" for n in range(num_survivors // SURVIVORS_PER_PARTITION + 1)]

    def all_units(units: list[str], **arguments: Any) -> dict[str, dict[str, Any]]:
        return dict.fromkeys(units, arguments)

    def phase_of(module: str) -> Phase:
        def phase(function: str, units: list[str], name: str | None = None, **arguments: object) -> Report:
            path = f"jobs.steps.{module}:{function}_unit"
            return total(step.map(path, units, phase=name or function, arguments=all_units(units, **arguments)))

        return phase

    phase = phase_of("deduplicate")
    url_counts, url_parts = {"url_losers": 0}, []
    if step.config["deduplicate"]["same_url"]:
        urls = phase_of("addresses")("urls", shards, num_partitions=len(partitions))
        same_url = phase_of("addresses")("same_url", partitions, prefixes=prefixes)
        _check_handed_on("url_rows", urls, same_url)
        url_counts, url_parts = same_url.counts, partitions
    earlier = find_earlier(step, prefixes, partitions, ngram_words)
    entering = {"shards": shards, "num_partitions": len(partitions), "url_parts": url_parts}
    entering |= {"planting": {"minhash": minhash, "num_documents": num_survivors}}
    in_shards = step.map("jobs.steps.deduplicate:bands_unit", shards, "bands", all_units(shards, **entering))
    bands, planted = total(in_shards), {s: prefixes[s] for s in shards if in_shards[s].counts["planted"]}
    found = phase("candidates", partitions, prefixes=prefixes, planted=planted)
    _check_handed_on("band_rows", bands, found)
    _check_handed_on("plant_band_rows", bands, found)
    verified = phase("verify", shards, prefixes=prefixes, partitions=partitions, ngram_words=ngram_words)
    _check_handed_on("proposed_pairs", found, verified)
    num_pairs, limit = verified.counts["verified_pairs"], step.config["deduplicate"]["max_edges_in_memory"]
    components = find_components(step.artifact, phase_of("components"), prefixes, num_pairs, limit)
    group_parts = [f"{n:05d}" for n in range(num_pairs // PAIRS_PER_PARTITION + 1)]
    members = phase("members", shards, prefixes=prefixes, component_parts=components.parts, num_groups=len(group_parts))
    _check_handed_on("verified_pairs", verified, members)
    _check_handed_on("members", Report(counts={"members": components.num_members}), members)
    far = phase("far", group_parts, prefixes=prefixes)
    compared = phase("compare", shards, prefixes=prefixes, group_parts=group_parts, ngram_words=ngram_words)
    _check_handed_on("far_pairs", far, compared)
    groups = phase("groups", group_parts, prefixes=prefixes)
    _check_handed_on("verified_pairs", verified, groups)
    _check_handed_on("members", members, groups)
    _check_handed_on("far_pairs", far, groups)
    lost_in: dict[str, Any] = {"shards": shards, "url_parts": url_parts, "group_parts": group_parts}
    capped, cap_parts = Report(counts={"over_domain_cap": 0}), []
    if "domain_cap" in step.config:
        domains = phase_of("domain_caps")("domains", shards, num_partitions=len(partitions), **lost_in)
        capped, cap_parts = phase_of("domain_caps")("caps", partitions, prefixes=prefixes), partitions
        _check_handed_on("domain_rows", domains, capped)
        capped = replace(capped, counts=domains.counts | capped.counts)
    arguments = all_units(shards, **lost_in, cap_parts=cap_parts)
    reports = step.map("jobs.steps.deduplicate:verdicts_unit", shards, arguments=arguments)
    step.check_takes_all(reports, "select")
    summed = total(reports)
    num_before = url_counts["url_losers"] + earlier.counts.get("earlier_losers", 0)
    _check_handed_on("losers", groups + Report(counts={"losers": num_before}), summed)
    _check_handed_on("over_domain_cap", capped, summed)
    sources, languages = losses(step, reports)
    check_losses(step, sources, languages, group_parts)
    counts = url_counts | bands.counts | found.counts | verified.counts | far.counts | groups.counts
    plant_counts, plants = measure_plants(step, planted, partitions, minhash, bands.counts | found.counts)
    counts |= earlier.counts | plant_counts
    if cap_parts:
        counts |= capped.counts
    by_kind = {"sources": sources, "languages": languages}
    step.commit(
        replace(summed, counts=counts | {"component_rounds": components.num_rounds}),
        losses={kind: {name: vars(loss) for name, loss in found.items()} for kind, found in by_kind.items()},
        **earlier.more,
        **plants,
    )


def _check_handed_on(what: str, before: Report, after: Report) -> None:
    """Raises ConservationError unless a phase has read as many rows as the one before it has written."""
    if before.counts[what] != after.counts[what]:
        raise ConservationError(
            f"deduplicate: {before.counts[what]:,} {what} were written, but {after.counts[what]:,} were read"
        )


def bands_unit(
    unit: Unit, shards: list[str], num_partitions: int, url_parts: list[str], planting: dict[str, Any]
) -> Report:
    """Where each survivor of a shard is looked for by its likes, and each plant."""
    lost = lost_before(unit, "same_url", url_parts, shards.index(unit.name))
    lost = pa.concat_tables([lost, lost_to_earlier(unit)])
    kept = survivors(unit, [*FACTS, "minhash_bands"])
    entering = kept.filter(pc.invert(pc.is_in(kept["id"], value_set=lost["id"])))
    rows, sizes = band_rows(entering, num_partitions)
    unit.write_scratch("bands", rows, sizes)
    return Report(counts={"band_rows": rows.num_rows} | plant(unit, entering, planting, num_partitions))


def candidates_unit(unit: Unit, prefixes: dict[str, str], planted: dict[str, str]) -> Report:
    """The pairs that one partition of keys proposes, grouped by the shard of the smaller id; `planted` are the shards
    with plants."""
    parts = [row_group(unit.artifact, "bands", shard, int(unit.name)) for shard in prefixes]
    found = candidates(parts, unit.config["deduplicate"]["max_bucket"])
    edges, row_groups = by_shard(found.edges, "low", prefixes)
    unit.write_scratch("candidates", edges, row_groups)
    counts = {"buckets": found.num_buckets, "large_buckets": found.num_large_buckets}
    counts |= {"band_rows": sum(part.num_rows for part in parts), "proposed_pairs": edges.num_rows}
    return Report(counts=counts | meet(unit, parts, planted))


def verify_unit(unit: Unit, prefixes: dict[str, str], partitions: list[str], ngram_words: int) -> Report:
    """Compare the texts of the pairs whose smaller id is in this shard."""
    at = list(prefixes).index(unit.name)
    proposed = [row_group(unit.artifact, "candidates", part, at) for part in partitions]
    edges = merge_edges(proposed)
    verified = _verified(unit, edges, prefixes, ngram_words, unit.config["deduplicate"]["min_jaccard"])
    unit.write_scratch("verified", verified.edges)
    counts = {"proposed_pairs": sum(part.num_rows for part in proposed), "candidate_pairs": edges.num_rows}
    counts |= {"rejected_pairs": verified.num_rejected, "verified_pairs": verified.edges.num_rows}
    return Report(counts=counts)


def members_unit(unit: Unit, prefixes: dict[str, str], component_parts: list[str], num_groups: int) -> Report:
    """What is known of a shard's documents that hang together with others, and their pairs, by partition of groups."""
    at = list(prefixes).index(unit.name)
    found = row_groups(unit.artifact, "components", component_parts, at).sort_by("id")
    facts = unit.parents["annotate"].read_rows("attributes", unit.name, column(found, "id"), FACTS)
    members = members_of(found, facts)
    unit.write_scratch("members", *_by_group(members, column(members, "component"), num_groups))
    edges = unit.artifact.read_table("scratch/verified", unit.name)
    rows = rows_of(column(edges, "low"), column(members, "id"), "component")
    unit.write_scratch("edges", *_by_group(edges, column(members, "component").take(rows), num_groups))
    return Report(counts={"verified_pairs": edges.num_rows, "members": members.num_rows})


def far_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """The pairs of a member and the first of its group that nobody has compared, by the shard of the smaller id."""
    members, edges = (row_groups(unit.artifact, name, list(prefixes), int(unit.name)) for name in ("members", "edges"))
    pairs, sizes = by_shard(far_pairs(members, edges, *_configs(unit)), "low", prefixes)
    unit.write_scratch("far", pairs, sizes)
    return Report(counts={"far_pairs": pairs.num_rows})


def compare_unit(unit: Unit, prefixes: dict[str, str], group_parts: list[str], ngram_words: int) -> Report:
    """Compare the texts of those pairs."""
    at = list(prefixes).index(unit.name)
    parts = [row_group(unit.artifact, "far", part, at) for part in group_parts]
    compared = _verified(unit, pa.concat_tables(parts), prefixes, ngram_words, 0.0)
    unit.write_scratch("compared", compared.edges, [part.num_rows for part in parts])
    return Report(counts={"far_pairs": compared.edges.num_rows})


def groups_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """Choose who stays of each group of one partition."""
    members, edges, compared = (
        row_groups(unit.artifact, name, list(prefixes), int(unit.name)) for name in ("members", "edges", "compared")
    )
    lost = losers(members, edges, compared, *_configs(unit))
    unit.write_scratch("losers", *by_shard(lost.verdicts, "id", prefixes))
    unit.write_scratch("largest", largest_groups(members, lost.verdicts["id"].combine_chunks()), [NUM_SHOWN])
    unit.write("chains", lost.chains)
    counts = {"groups": len(pc.unique(members["component"])), "losers": lost.verdicts.num_rows}
    counts |= {"far_pairs": compared.num_rows}
    counts |= {"chain_members": lost.chains.num_rows, "chain_members_kept": lost.chains["duplicate_of"].null_count}
    return Report(counts=counts | {"verified_pairs": edges.num_rows, "members": members.num_rows})


def verdicts_unit(
    unit: Unit, shards: list[str], url_parts: list[str], group_parts: list[str], cap_parts: list[str]
) -> Report:
    """The verdict on every survivor of a shard."""
    kept, at = survivors(unit, ["id", "num_bytes", "language"]), shards.index(unit.name)
    parts_of = {"same_url": url_parts, "losers": group_parts, "capped": cap_parts}
    lost = [lost_to_earlier(unit)] + [lost_before(unit, table, parts, at) for table, parts in parts_of.items()]
    decided = verdicts(kept, pa.concat_tables(lost))
    if not decided["id"].equals(kept["id"]):
        raise ConservationError(f"deduplicate {unit.name}: the verdicts are not on the documents that came")
    unit.write("verdicts", decided)
    over = pc.is_in(decided["reason"], value_set=pa.array(OVER_CAP))
    is_copy = pc.and_not(pc.is_valid(decided["reason"]), over).combine_chunks()
    num_over = pc.sum(over).as_py() or 0
    return Report(
        tally_in=tally(kept, "num_bytes"),
        tally_out=tally(decided.filter(pc.is_null(decided["reason"])), "num_bytes"),
        dropped=tally_by_reason(decided, "num_bytes"),
        counts=counts_by_language(column(kept, "language"), is_copy)
        | {"losers": decided.num_rows - decided["reason"].null_count - num_over, "over_domain_cap": num_over},
    )


def _configs(unit: Unit) -> tuple[SplitConfig, DeduplicateConfig]:
    split = SplitConfig.model_validate(unit.config["split"])
    return split, DeduplicateConfig.model_validate(unit.config["deduplicate"])


def _by_group(rows: pa.Table, component: pa.Array, num_groups: int) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their partitions of groups, and how many each has."""
    mixed = document_id.mix(component, GROUP_SEED) >> np.uint64(32)
    partition = (mixed * np.uint64(num_groups) >> np.uint64(32)).astype(np.int64)
    order = np.argsort(partition, kind="stable")
    return rows.take(pa.array(order)), np.bincount(partition, minlength=num_groups).tolist()


def _verified(unit: Unit, edges: pa.Table, prefixes: dict[str, str], ngram_words: int, min_jaccard: float) -> Verified:
    """The pairs that are alike, some texts at a time: however many partners a shard has, few are in memory at once."""
    ends = pa.chunked_array([*edges["low"].chunks, *edges["high"].chunks], ID)
    facts = rows_by_id(unit.parents["annotate"], "attributes", ends, prefixes, ["id", "content_hash", "num_bytes"])
    parts = []
    for start, stop in ranges(_bytes_to_read(edges, facts), MAX_TEXT_BYTES):
        some = edges.slice(start, stop - start)
        texts = _surviving_texts(unit, ids_to_read(some, facts), prefixes)
        ids = column(texts, "id")
        seen = facts.take(rows_of(ids, column(facts, "id"), "content hash"))
        check_content(ids, column(texts, "text"), column(seen, "content_hash"))
        parts.append(verify(some, facts, texts, ngram_words, min_jaccard))
    verified = pa.concat_tables([part.edges for part in parts]) if parts else VERIFIED_EDGES.empty_table()
    return Verified(verified, sum(part.num_rejected for part in parts))


def _bytes_to_read(edges: pa.Table, facts: pa.Table) -> np.ndarray:
    """int64[pairs + 1]: bytes of text up to each pair; the smaller id's, which many pairs may share, once."""
    num_bytes, ids = column(facts, "num_bytes").to_numpy(), column(facts, "id")
    low, high = (rows_of(column(edges, end), ids, "size") for end in ("low", "high"))
    is_new = np.ones(len(low), np.bool_)
    is_new[1:] = low[1:] != low[:-1]
    return np.append(0, np.cumsum(num_bytes[high] + num_bytes[low] * is_new))


def _surviving_texts(unit: Unit, ids: pa.Array, prefixes: dict[str, str]) -> pa.Table:
    documents = rows_by_id(unit.parents["extract"], "documents", ids, prefixes, ["id", "text"])
    edits = rows_by_id(unit.parents["clean"], "edits", ids, prefixes, EDITS.names)
    text = surviving_text(documents["text"].combine_chunks(), edits)
    return pa.table({"id": documents["id"], "text": text})
