"""The cap per domain in `deduplicate`: domains (a unit a shard) -> caps (a partition of domains)."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.domain_cap import DOMAIN_ROWS, DomainCapConfig, domain_rows, over_cap
from dataprep.schemas import VERDICTS
from jobs.by_shard import by_shard
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on
from jobs.survivors import lost_before, lost_to_earlier, survivors
from jobs.unit import Unit
from seedbed.artifact import Report


@dataclass(frozen=True)
class Capped:
    """Who is over the cap (`schemas.VERDICTS`, by shard), nobody where there is none."""

    lost: Shuffled
    counts: dict[str, int]


def hold_to_domain_cap(step: StepRun, prefixes: dict[str, str], partitions: list[str], lost: list[Shuffled]) -> Capped:
    """Hold the domains of all documents but those that were `lost` before to the run's cap."""
    if "domain_cap" not in step.config:
        return Capped(Shuffled("capped", []), {})
    phase, shards = step.phases("jobs.steps.domain_caps"), list(prefixes)
    domains = phase("domains", shards, shards=shards, num_partitions=len(partitions), lost=lost)
    num_rows = domains.counts["domain_rows"]
    rows = merged(step, Shuffled("domains", shards), len(partitions), num_rows, row_bytes(DOMAIN_ROWS))
    capped = phase("caps", partitions, domains=rows, prefixes=prefixes)
    check_handed_on(step.artifact.kind, "domain_rows", domains, capped)
    over = merged(
        step, Shuffled("capped", partitions), len(shards), capped.counts["over_domain_cap"], row_bytes(VERDICTS)
    )
    return Capped(over, domains.counts | capped.counts)


def domains_unit(unit: Unit, shards: list[str], num_partitions: int, lost: list[Shuffled]) -> Report:
    """The documents of a shard that are no copies, by domain."""
    at = shards.index(unit.name)
    gone = pa.concat_tables([lost_to_earlier(unit), *(lost_before(unit, table, at) for table in lost)])
    kept = survivors(unit, ["id", "num_bytes"])
    unique = kept.filter(pc.invert(pc.is_in(kept["id"], value_set=gone["id"])))
    documents = unit.parents["extract"].read_table("documents", unit.name, ["id", "url"])
    rows, sizes = domain_rows(unique, documents, num_partitions)
    unit.write_scratch("domains", rows, sizes)
    return Report(counts={"domain_rows": rows.num_rows, "no_domain": unique.num_rows - rows.num_rows})


def caps_unit(unit: Unit, domains: Shuffled, prefixes: dict[str, str]) -> Report:
    """Hold the domains of one partition to their cap; what goes, by shard."""
    rows = domains.piece(unit.artifact, int(unit.name))
    goes = over_cap(rows, DomainCapConfig.model_validate(unit.config["domain_cap"]))
    unit.write_scratch("capped", *by_shard(goes, "id", prefixes))
    counts = {"domain_rows": rows.num_rows, "domains": len(pc.unique(rows["domain"]))}
    return Report(counts=counts | {"over_domain_cap": goes.num_rows})
