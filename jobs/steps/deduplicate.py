"""`deduplicate`: which survivors of `select` are copies, and which are too many of their domain, over all input shards
together; writes `verdicts`.

    [urls (a unit a shard) -> same_url (a partition of addresses): jobs.steps.addresses, where `same_url` asks for it]
    [old_bands -> new_bands -> proposed -> alike: jobs.steps.earlier, where earlier corpora are named]
        -> bands (a shard) -> candidates (a partition of keys) -> [gather -> texts -> verify: jobs.steps.compare]
        -> components (jobs.steps.components) -> members (a shard) -> far (a partition of groups)
        -> [far_gather -> far_texts -> compare: jobs.steps.compare] -> groups (a partition of groups)
        [plants ride on bands and candidates: jobs.steps.plants]
        [-> domains (a shard) -> caps (a partition of domains): jobs.steps.domain_caps, where there is a `domain_cap`]
        -> map (a shard)

Between phases everything goes through files whose pieces are what one unit of the next phase wants, so a unit
reads ranges and no worker holds more than its own share.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.blocks import block_pairs, blocks_of_groups
from dataprep.deduplicate.buckets import band_rows
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.guard import largest_groups
from dataprep.deduplicate.keeper import far_pairs, losers, members_of, verdicts
from dataprep.deduplicate.lookup import rows_of
from dataprep.domain_cap import REASONS as OVER_CAP
from dataprep.kernels.text_buffers import column
from dataprep.split import SplitConfig
from dataprep.tally import tally, tally_by_reason
from jobs.by_shard import by_shard, in_groups, partition_by_hash, piece_of, pieces_of, shards_of
from jobs.old_shards import OldShards
from jobs.step_run import Phase, StepRun, check_handed_on, total
from jobs.steps.addresses import find_same_urls
from jobs.steps.compare import Names, compare_pairs, write_pairs
from jobs.steps.components import find_components
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

GROUP_SEED = 0x6209
"""Keeps the partitions of groups apart from every other use of the hash of an id."""

CANDIDATES = Names("candidates", "gather", "texts", "verify", "verified")
FAR = Names("far", "far_gather", "far_texts", "compare", "compared")

FACTS = ["id", "num_bytes", "num_words", "content_hash"]


def run(step: StepRun) -> None:
    """Every phase in turn; the last one's sums are the step's."""
    prefixes = step.input_shards()
    shards = list(prefixes)
    minhash = step.parents["annotate"].committed()["config"]["minhash"]
    ngram_words = minhash["ngram_words"]
    num_survivors = step.parents["select"].committed()["records_out"]

    def partitions_of(num_documents: int) -> list[str]:
        return [f"{n:05d}" for n in range(num_documents // SURVIVORS_PER_PARTITION + 1)]

    def all_units(units: list[str], **arguments: Any) -> dict[str, dict[str, Any]]:
        return dict.fromkeys(units, arguments)

    def phase_of(module: str) -> Phase:
        def phase(function: str, units: list[str], name: str | None = None, **arguments: object) -> Report:
            path = f"jobs.steps.{module}:{function}_unit"
            return total(step.map(path, units, phase=name or function, arguments=all_units(units, **arguments)))

        return phase

    phase, handed_on = phase_of("deduplicate"), partial(check_handed_on, step.artifact.kind)
    old, partitions = OldShards.of(step), partitions_of(num_survivors)
    with_old = partitions_of(num_survivors + old.num_documents)
    url_counts, url_parts = find_same_urls(step, phase_of("addresses"), prefixes, with_old, old)
    earlier = find_earlier(step, old, prefixes, with_old, url_parts, ngram_words)
    if old.corpora:
        handed_on("earlier_url_losers", Report(counts=url_counts), Report(counts=earlier))
    entering = {"shards": shards, "num_partitions": len(partitions), "url_parts": url_parts}
    entering |= {"planting": {"minhash": minhash, "num_documents": num_survivors}}
    in_shards = step.map("jobs.steps.deduplicate:bands_unit", shards, "bands", all_units(shards, **entering))
    bands, planted = total(in_shards), {s: prefixes[s] for s in shards if in_shards[s].counts["planted"]}
    found = phase("candidates", partitions, prefixes=prefixes, planted=planted)
    handed_on("band_rows", bands, found)
    handed_on("plant_band_rows", bands, found)
    config, comparing = step.config["deduplicate"], partial(compare_pairs, step.artifact, phase_of("compare"))
    how = {"ngram_words": ngram_words, "min_jaccard": config["min_jaccard"]}
    verified_parts, verified = comparing(CANDIDATES, partitions, found, prefixes, len(shards), **how)
    num_pairs, limit = verified.counts["verified_pairs"], config["max_edges_in_memory"]
    components = find_components(step.artifact, phase_of("components"), verified_parts, prefixes, num_pairs, limit)
    group_parts = [f"{n:05d}" for n in range(num_pairs // PAIRS_PER_PARTITION + 1)]
    read: dict[str, Any] = {"verified_parts": verified_parts, "component_parts": components.parts}
    members = phase("members", shards, prefixes=prefixes, num_groups=len(group_parts), **read)
    handed_on("verified_pairs", verified, members)
    handed_on("members", Report(counts={"members": components.num_members}), members)
    far = phase("far", group_parts, prefixes=prefixes)
    how["min_jaccard"] = 0.0
    compared_parts, compared = comparing(FAR, group_parts, far, prefixes, len(group_parts), **how)
    handed_on("far_pairs", far, Report(counts={"far_pairs": compared.counts["verified_pairs"]}))
    groups = phase("groups", group_parts, prefixes=prefixes, compared_parts=compared_parts)
    handed_on("verified_pairs", verified, groups)
    handed_on("members", members, groups)
    handed_on("far_pairs", far, groups)
    lost_in: dict[str, Any] = {"shards": shards, "url_parts": url_parts, "group_parts": group_parts}
    capped, cap_parts = Report(counts={"over_domain_cap": 0}), []
    if "domain_cap" in step.config:
        domains = phase_of("domain_caps")("domains", shards, num_partitions=len(partitions), **lost_in)
        capped, cap_parts = phase_of("domain_caps")("caps", partitions, prefixes=prefixes), partitions
        handed_on("domain_rows", domains, capped)
        capped = replace(capped, counts=domains.counts | capped.counts)
    arguments = all_units(shards, **lost_in, cap_parts=cap_parts)
    reports = step.map("jobs.steps.deduplicate:verdicts_unit", shards, arguments=arguments)
    step.check_takes_all(reports, "select")
    summed = total(reports)
    num_before = url_counts["url_losers"] + earlier.get("earlier_losers", 0)
    handed_on("losers", groups + Report(counts={"losers": num_before}), summed)
    handed_on("over_domain_cap", capped, summed)
    sources, languages = losses(step, reports)
    check_losses(step, sources, languages, group_parts)
    counts = url_counts | bands.counts | found.counts | verified.counts | far.counts | groups.counts
    plant_counts, plants = measure_plants(step, planted, partitions, minhash, bands.counts | found.counts)
    counts |= earlier | plant_counts
    if cap_parts:
        counts |= capped.counts
    counts = {name: number for name, number in counts.items() if name not in (CANDIDATES.rows, FAR.rows)}
    by_kind = {"sources": sources, "languages": languages}
    step.commit(
        replace(summed, counts=counts | {"component_rounds": components.num_rounds}),
        losses={kind: {name: vars(loss) for name, loss in found.items()} for kind, found in by_kind.items()},
        **({"earlier": old.told()} if old.corpora else {}),
        **plants,
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
    """The pairs that one partition of keys proposes, for the shards of both ends; `planted` are the shards with
    plants."""
    parts = [piece_of(unit.artifact, "bands", shard, int(unit.name)) for shard in prefixes]
    found = candidates(parts, unit.config["deduplicate"]["max_bucket"])
    pairs = block_pairs(found.edges, found.blocks, shards_of(found.edges["low"], prefixes))
    counts = {"buckets": found.num_buckets, "large_buckets": found.num_large_buckets}
    counts |= {"band_rows": sum(part.num_rows for part in parts), "proposed_pairs": pairs.num_rows}
    counts |= write_pairs(unit, CANDIDATES, pairs, prefixes)
    return Report(counts=counts | meet(unit, parts, planted))


def members_unit(
    unit: Unit, prefixes: dict[str, str], verified_parts: list[str], component_parts: list[str], num_groups: int
) -> Report:
    """What is known of a shard's documents that hang together with others, and their pairs, by partition of groups."""
    at = list(prefixes).index(unit.name)
    found = pieces_of(unit.artifact, "components", component_parts, at).sort_by("id")
    facts = unit.parents["annotate"].read_rows("attributes", unit.name, column(found, "id"), FACTS)
    members = members_of(found, facts)
    unit.write_scratch("members", *_by_group(members, column(members, "component"), num_groups))
    edges = pieces_of(unit.artifact, "verified", verified_parts, at)
    rows = rows_of(column(edges, "low"), column(members, "id"), "component")
    unit.write_scratch("edges", *_by_group(edges, column(members, "component").take(rows), num_groups))
    return Report(counts={"verified_pairs": edges.num_rows, "members": members.num_rows})


def far_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """The pairs of a member and the first of its group that nobody has compared, for the shards of both."""
    members, edges = (pieces_of(unit.artifact, name, list(prefixes), int(unit.name)) for name in ("members", "edges"))
    pairs = far_pairs(members, edges, *_configs(unit))
    to_here = np.full(pairs.num_rows, int(unit.name))
    told = block_pairs(pairs, blocks_of_groups(pairs, members), to_here)
    return Report(counts={"far_pairs": pairs.num_rows} | write_pairs(unit, FAR, told, prefixes))


def groups_unit(unit: Unit, prefixes: dict[str, str], compared_parts: list[str]) -> Report:
    """Choose who stays of each group of one partition."""
    members, edges = (pieces_of(unit.artifact, name, list(prefixes), int(unit.name)) for name in ("members", "edges"))
    compared = pieces_of(unit.artifact, "compared", compared_parts, int(unit.name))
    lost = losers(members, edges, compared, *_configs(unit))
    unit.write_scratch("losers", *by_shard(lost.verdicts, "id", prefixes))
    unit.write_scratch("largest", largest_groups(members, lost.verdicts["id"].combine_chunks()))
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
    return in_groups(rows, partition_by_hash(component, num_groups, GROUP_SEED), num_groups)
