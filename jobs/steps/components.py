"""The groups of `deduplicate`: which documents hang together by verified pairs.

    in memory:      verified pairs (a file a part) -> components (one unit)
    out of core:    verified pairs -> spread (a part) -> large_n, small_n (a partition of nodes), n = 0... -> stars

Both end in `scratch/components`, whose pieces are the input shards. Every round of the latter is a phase: killed in
one, a run goes on with it. What a round read is deleted after it.
"""

from dataclasses import dataclass
from itertools import count

import psutil
import pyarrow as pa

from dataprep.deduplicate.components import Joined
from dataprep.deduplicate.stars import components_of_stars, large_star, seen_from_both_ends, small_star, sum_of
from jobs.by_shard import by_shard
from jobs.shuffled import Shuffled
from jobs.step_run import Phase
from jobs.unit import Unit
from seedbed.artifact import Artifact, Report

BYTES_PER_EDGE = 256
"""Of memory, for joining pairs of copies in one worker and writing what was found, where no document has two pairs
(218 to 252 measured); less where they have more, as only documents are kept."""


@dataclass(frozen=True)
class Found:
    """`components.COMPONENTS` by input shard, how many rows they are, and in how many rounds (0 in memory)."""

    components: Shuffled
    num_members: int
    num_rounds: int


def find_components(
    artifact: Artifact,
    phase: Phase,
    verified: Shuffled,
    prefixes: dict[str, str],
    num_edges: int,
    max_edges: int | None,
) -> Found:
    """The components of the `num_edges` verified pairs, through files where they are more than `max_edges`."""
    if num_edges <= (max_edges or edges_in_memory()):
        found = phase("components", ["all"], verified=verified, prefixes=prefixes)
        return Found(Shuffled("components", ["all"]), found.counts["members"], 0)
    # Each edge is seen from two nodes. A run that goes on with more or less memory has other partitions, thus phases.
    num_partitions = 2 * num_edges // (max_edges or edges_in_memory()) + 1
    partitions = [f"{n:05d}" for n in range(num_partitions)]
    links, before = Shuffled(f"spread_{num_partitions}", verified.parts), (-1, -1)
    phase("spread", verified.parts, links.table, table=verified.table, num_partitions=num_partitions)
    for number in count():
        after_large = Shuffled(f"large_{num_partitions}_{number}", partitions)
        after_small = Shuffled(f"small_{num_partitions}_{number}", partitions)
        large = phase("large", partitions, after_large.table, links=links, num_partitions=num_partitions)
        now = large.counts["edges"], large.counts["checksum"]
        if now == before:
            components = Shuffled(f"components_{num_partitions}", partitions)
            into = {"table": components.table, "prefixes": prefixes}
            found = phase("stars", partitions, f"stars_{num_partitions}", links=links, **into)
            return Found(components, found.counts["members"], number)
        phase("small", partitions, after_small.table, links=after_large, num_partitions=num_partitions)
        for read in (links, after_large):
            artifact.delete_scratch(read.table)
        links, before = after_small, now
    raise AssertionError("count() does not end")


def edges_in_memory() -> int:
    """How many pairs a quarter of this machine's memory joins: the driver's stands for the workers'."""
    return int(psutil.virtual_memory().total) // 4 // BYTES_PER_EDGE


def components_unit(unit: Unit, verified: Shuffled, prefixes: dict[str, str]) -> Report:
    """Join all pairs in memory."""
    return _write_components(unit, "components", _joined(unit, verified), prefixes)


def _joined(unit: Unit, verified: Shuffled) -> pa.Table:
    joined = Joined()
    for part in verified.parts:
        joined.add(unit.artifact.read_scratch(verified.table, part, ["low", "high"]))
    return joined.components()


def spread_unit(unit: Unit, table: str, num_partitions: int) -> Report:
    """The pairs of one part, seen from both ends."""
    pairs = unit.artifact.read_scratch(table, unit.name, ["low", "high"])
    unit.write_scratch(unit.phase, *seen_from_both_ends(pairs, num_partitions))
    return Report()


def large_unit(unit: Unit, links: Shuffled, num_partitions: int) -> Report:
    """A large star of each node of one partition; the sum of the edges that it was made of tells when to stop."""
    read = [links.piece(unit.artifact, int(unit.name))]
    unit.write_scratch(unit.phase, *large_star(read, num_partitions))
    found = sum_of(read)
    return Report(counts={"edges": found.num_edges, "checksum": found.checksum})


def small_unit(unit: Unit, links: Shuffled, num_partitions: int) -> Report:
    """A small star of each node of one partition."""
    read = [links.piece(unit.artifact, int(unit.name))]
    unit.write_scratch(unit.phase, *small_star(read, num_partitions))
    return Report()


def stars_unit(unit: Unit, links: Shuffled, table: str, prefixes: dict[str, str]) -> Report:
    """The components of one partition of nodes."""
    found = components_of_stars([links.piece(unit.artifact, int(unit.name))])
    return _write_components(unit, table, found, prefixes)


def _write_components(unit: Unit, table: str, found: pa.Table, prefixes: dict[str, str]) -> Report:
    rows, sizes = by_shard(found, "id", prefixes)
    unit.write_scratch(table, rows, sizes)
    return Report(counts={"members": found.num_rows})
