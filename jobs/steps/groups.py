"""The groups of `deduplicate`: documents that hang together by pairs that are alike, and who stays of each.

alike pairs -> components (jobs.steps.components) -> members (a shard) -> far (a partition of groups)
    -> [far_gather -> far_texts -> compare: jobs.steps.compare] -> groups (a partition of groups)
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.deduplicate.blocks import block_pairs, blocks_of_groups
from dataprep.deduplicate.components import COMPONENTS
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import VERIFIED_EDGES
from dataprep.deduplicate.guard import largest_groups
from dataprep.deduplicate.keeper import MEMBERS, far_pairs, losers, members_of
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column
from dataprep.schemas import VERDICTS
from dataprep.split import SplitConfig
from jobs.by_shard import by_shard, in_groups, partition_by_hash
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, check_rows
from jobs.steps.compare import Names, compare_pairs, write_pairs
from jobs.steps.components import find_components
from jobs.unit import Unit
from seedbed.artifact import Report

PAIRS_PER_PARTITION = 2_000_000
"""Verified pairs whose groups are decided together: 40 bytes a pair and 60 a document, and as much to sort them."""

GROUP_SEED = 0x6209
"""Keeps the partitions of groups apart from every other use of the hash of an id."""

FAR = Names("far", "far_gather", "far_texts", "compare", "compared")

FACTS = ["id", "num_bytes", "num_words", "content_hash"]


@dataclass(frozen=True)
class Groups:
    """Who lost (`schemas.VERDICTS`, by shard); the partitions whose `largest` groups and `chains` are written."""

    lost: Shuffled
    parts: list[str]
    counts: dict[str, int]


def find_groups(step: StepRun, alike: Shuffled, num_pairs: int, prefixes: dict[str, str], ngram_words: int) -> Groups:
    """Every phase in turn, on `num_pairs` pairs that are alike. Raises ConservationError where a row is lost on its
    way."""
    kind, shards = step.artifact.kind, list(prefixes)
    phase, handed_on = step.phases("jobs.steps.groups"), partial(check_handed_on, kind)
    limit, joining = step.config["deduplicate"]["max_edges_in_memory"], step.phases("jobs.steps.components")
    found = find_components(step.artifact, joining, alike, prefixes, num_pairs, limit)
    components = merged(step, found.components, len(shards), found.num_members, row_bytes(COMPONENTS))

    parts = [f"{n:05d}" for n in range(num_pairs // PAIRS_PER_PARTITION + 1)]
    told = phase("members", shards, alike=alike, components=components, prefixes=prefixes, num_groups=len(parts))
    check_rows(kind, "verified_pairs", num_pairs, told.counts["verified_pairs"])
    check_rows(kind, "members", found.num_members, told.counts["members"])
    of_groups: dict[str, Any] = {
        "members": merged(step, Shuffled("members", shards), len(parts), found.num_members, row_bytes(MEMBERS)),
        "edges": merged(step, Shuffled("edges", shards), len(parts), num_pairs, row_bytes(VERIFIED_EDGES)),
    }
    far = phase("far", parts, **of_groups, prefixes=prefixes)
    compared, counted = compare_pairs(step, FAR, parts, far, prefixes, len(parts), ngram_words, min_jaccard=0.0)
    check_rows(kind, "far_pairs", far.counts["far_pairs"], counted.counts["verified_pairs"])

    groups = phase("groups", parts, **of_groups, compared=compared, prefixes=prefixes)
    handed_on("verified_pairs", told, groups)
    handed_on("members", told, groups)
    handed_on("far_pairs", far, groups)
    lost = merged(step, Shuffled("losers", parts), len(shards), groups.counts["losers"], row_bytes(VERDICTS))
    return Groups(lost, parts, groups.counts | {"component_rounds": found.num_rounds})


def members_unit(
    unit: Unit, alike: Shuffled, components: Shuffled, prefixes: dict[str, str], num_groups: int
) -> Report:
    """What is known of a shard's documents that hang together with others, and their pairs, by partition of groups."""
    at = list(prefixes).index(unit.name)
    found = components.piece(unit.artifact, at).sort_by("id")
    facts = unit.parents["annotate"].read_rows("attributes", unit.name, column(found, "id"), FACTS)
    members = members_of(found, facts)
    unit.write_scratch("members", *_by_group(members, column(members, "component"), num_groups))
    edges = alike.piece(unit.artifact, at)
    rows = rows_of(column(edges, "low"), column(members, "id"), "component")
    unit.write_scratch("edges", *_by_group(edges, column(members, "component").take(rows), num_groups))
    return Report(counts={"verified_pairs": edges.num_rows, "members": members.num_rows})


def far_unit(unit: Unit, members: Shuffled, edges: Shuffled, prefixes: dict[str, str]) -> Report:
    """The pairs of a member and the first of its group that nobody has compared, for the shards of both."""
    part = int(unit.name)
    of_groups = members.piece(unit.artifact, part)
    pairs = far_pairs(of_groups, edges.piece(unit.artifact, part), *_configs(unit))
    to_here = np.full(pairs.num_rows, part)
    told = block_pairs(pairs, blocks_of_groups(pairs, of_groups), to_here)
    return Report(counts={"far_pairs": pairs.num_rows} | write_pairs(unit, FAR, told, prefixes))


def groups_unit(unit: Unit, members: Shuffled, edges: Shuffled, compared: Shuffled, prefixes: dict[str, str]) -> Report:
    """Choose who stays of each group of one partition."""
    of_groups, pairs, far = (rows.piece(unit.artifact, int(unit.name)) for rows in (members, edges, compared))
    lost = losers(of_groups, pairs, far, *_configs(unit))
    unit.write_scratch("losers", *by_shard(lost.verdicts, "id", prefixes))
    unit.write_scratch("largest", largest_groups(of_groups, lost.verdicts["id"].combine_chunks()))
    unit.write("chains", lost.chains)
    counts = {"groups": len(pc.unique(of_groups["component"])), "losers": lost.verdicts.num_rows}
    counts |= {"verified_pairs": pairs.num_rows, "members": of_groups.num_rows, "far_pairs": far.num_rows}
    counts |= {"chain_members": lost.chains.num_rows, "chain_members_kept": lost.chains["duplicate_of"].null_count}
    return Report(counts=counts)


def _configs(unit: Unit) -> tuple[SplitConfig, DeduplicateConfig]:
    split = SplitConfig.model_validate(unit.config["split"])
    return split, DeduplicateConfig.model_validate(unit.config["deduplicate"])


def _by_group(rows: pa.Table, component: pa.Array, num_groups: int) -> tuple[pa.Table, list[int]]:
    """The rows in the order of their partitions of groups, and how many each has."""
    return in_groups(rows, partition_by_hash(component, num_groups, GROUP_SEED), num_groups)
