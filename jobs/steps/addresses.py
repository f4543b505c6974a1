"""The documents of one URL in `deduplicate`: urls (a unit a shard) -> same_url (a partition of addresses)."""

from dataprep.deduplicate.addresses import address_rows, same_address
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.text_buffers import column
from dataprep.split import SplitConfig
from jobs.by_shard import by_shard, row_groups
from jobs.survivors import is_survivor, survivors
from jobs.unit import Unit
from seedbed.artifact import Report


def urls_unit(unit: Unit, num_partitions: int) -> Report:
    """The addresses of a shard's survivors."""
    documents = unit.parents["extract"].read_table("documents", unit.name, ["id", "url"])
    kept = documents.filter(is_survivor(unit, documents["id"]))
    facts = survivors(unit, ["id", "num_bytes", "num_words"])
    rows, sizes = address_rows(facts, column(kept, "url"), num_partitions)
    unit.write_scratch("urls", rows, sizes)
    return Report(counts={"url_rows": rows.num_rows})


def same_url_unit(unit: Unit, prefixes: dict[str, str]) -> Report:
    """All but one document of each address of one partition."""
    rows = row_groups(unit.artifact, "urls", list(prefixes), int(unit.name))
    split = SplitConfig.model_validate(unit.config["split"])
    lost = same_address(rows, split, DeduplicateConfig.model_validate(unit.config["deduplicate"]))
    unit.write_scratch("same_url", *by_shard(lost, "id", prefixes))
    return Report(counts={"url_rows": rows.num_rows, "url_losers": lost.num_rows})
