"""The cap per domain in `deduplicate`: domains (a unit a shard) -> caps (a partition of domains)."""

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.domain_cap import DomainCapConfig, domain_rows, over_cap
from jobs.by_shard import by_shard, pieces_of
from jobs.survivors import lost_before, lost_to_earlier, survivors
from jobs.unit import Unit
from seedbed.artifact import Report


def domains_unit(
    unit: Unit, shards: list[str], num_partitions: int, url_parts: list[str], group_parts: list[str]
) -> Report:
    """The documents of a shard that are no copies, by domain."""
    at = shards.index(unit.name)
    lost = pa.concat_tables(
        [
            lost_to_earlier(unit),
            lost_before(unit, "same_url", url_parts, at),
            lost_before(unit, "losers", group_parts, at),
        ]
    )
    kept = survivors(unit, ["id", "num_bytes"])
    unique = kept.filter(pc.invert(pc.is_in(kept["id"], value_set=lost["id"])))
    documents = unit.parents["extract"].read_table("documents", unit.name, ["id", "url"])
    rows, sizes = domain_rows(unique, documents, num_partitions)
    unit.write_scratch("domains", rows, sizes)
    return Report(counts={"domain_rows": rows.num_rows, "no_domain": unique.num_rows - rows.num_rows})


def caps_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """Hold the domains of one partition to their cap; what goes, by shard."""
    rows = pieces_of(unit.artifact, "domains", list(prefixes), int(unit.name))
    goes = over_cap(rows, DomainCapConfig.model_validate(unit.config["domain_cap"]))
    unit.write_scratch("capped", *by_shard(goes, "id", prefixes))
    counts = {"domain_rows": rows.num_rows, "domains": len(pc.unique(rows["domain"]))}
    return Report(counts=counts | {"over_domain_cap": goes.num_rows})
