"""The documents of one URL in `deduplicate`.

urls (a unit a shard) [, old_urls (a shard of an old corpus)] -> same_url (a partition of addresses)
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from dataprep.deduplicate.addresses import ADDRESS_ROWS, address_rows, at_earlier_address, same_address
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.earlier import LOST_TO_EARLIER
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column
from dataprep.schemas import VERDICTS
from dataprep.split import SplitConfig
from jobs.by_shard import by_shard
from jobs.old_shards import OldShards, artifacts_of
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, total
from jobs.survivors import is_survivor, survivors
from jobs.unit import Unit
from seedbed.artifact import Report

FACTS = ["id", "num_bytes", "num_words"]


@dataclass(frozen=True)
class SameUrls:
    """Who lost for their address, by shard: to one of the same run (`schemas.VERDICTS`), and to an earlier corpus
    (`earlier.LOST_TO_EARLIER`). Nobody where nobody asked."""

    lost: Shuffled
    lost_to_earlier: Shuffled
    counts: dict[str, int]


def find_same_urls(step: StepRun, prefixes: dict[str, str], partitions: list[str], old: OldShards) -> SameUrls:
    """Every phase in turn. Raises ConservationError where an address is lost on its way."""
    names = ("url_losers", "earlier_url_losers") if old.corpora else ("url_losers",)
    if not step.config["deduplicate"]["same_url"]:
        return SameUrls(Shuffled("same_url", []), Shuffled("earlier_url", []), dict.fromkeys(names, 0))
    phase, handed_on = step.phases("jobs.steps.addresses"), partial(check_handed_on, step.artifact.kind)
    shards = list(prefixes)
    urls = phase("urls", shards, num_partitions=len(partitions))
    rows = merged(step, Shuffled("urls", shards), len(partitions), urls.counts["url_rows"], row_bytes(ADDRESS_ROWS))
    of_old = old.arguments(len(partitions))
    old_urls = total(step.map("jobs.steps.addresses:old_urls_unit", old.units, "old_urls", of_old))
    same_url = phase("same_url", partitions, urls=rows, old_urls=old.written("old_urls"), prefixes=prefixes)
    handed_on("url_rows", urls, same_url)
    handed_on("old_url_rows", Report(counts={"old_url_rows": 0}) + old_urls, same_url)
    lost, to_earlier = (
        merged(step, Shuffled(table, partitions), len(shards), same_url.counts[count], row_bytes(VERDICTS))
        for table, count in (("same_url", "url_losers"), ("earlier_url", "earlier_url_losers"))
    )
    return SameUrls(lost, to_earlier, {name: same_url.counts[name] for name in names})


def urls_unit(unit: Unit, num_partitions: int) -> Report:
    """The addresses of a shard's survivors."""
    documents = unit.parents["extract"].read_table("documents", unit.name, ["id", "url"])
    kept = documents.filter(is_survivor(unit, documents["id"]))
    rows, sizes = address_rows(survivors(unit, FACTS), column(kept, "url"), num_partitions)
    unit.write_scratch("urls", rows, sizes)
    return Report(counts={"url_rows": rows.num_rows})


def old_urls_unit(unit: Unit, corpus: dict[str, Any], store: str, shard: str, num_partitions: int) -> Report:
    """The addresses of the documents that an old corpus kept of a shard."""
    artifacts = artifacts_of(corpus, store)
    kept = artifacts["corpus"].read_table("corpus", shard, ["id"])
    documents = artifacts["extract"].read_table("documents", shard, ["id", "url"])
    facts = artifacts["annotate"].read_table("attributes", shard, FACTS)
    there = [rows_of(column(kept, "id"), column(table, "id"), "row") for table in (documents, facts)]
    urls = column(documents, "url").take(pa.array(there[0]))
    rows, sizes = address_rows(facts.take(pa.array(there[1])), urls, num_partitions)
    unit.write_scratch("old_urls", rows, sizes)
    return Report(counts={"old_url_rows": rows.num_rows})


def same_url_unit(unit: Unit, urls: Shuffled, old_urls: list[Shuffled], prefixes: dict[str, str]) -> Report:
    """All but one document of each address of one partition, and all of an address that an earlier corpus has."""
    rows = urls.piece(unit.artifact, int(unit.name))
    corpora = [
        pa.concat_tables([ADDRESS_ROWS.empty_table(), *of_corpus.in_turn(unit.artifact, int(unit.name))])
        for of_corpus in old_urls
    ]
    to_earlier, left = at_earlier_address(rows, corpora)
    split = SplitConfig.model_validate(unit.config["split"])
    lost = same_address(left, split, DeduplicateConfig.model_validate(unit.config["deduplicate"]))
    unit.write_scratch("same_url", *by_shard(lost, "id", prefixes))
    unit.write_scratch("earlier_url", *by_shard(to_earlier, "id", prefixes))
    counts = {"url_rows": rows.num_rows, "url_losers": lost.num_rows, "earlier_url_losers": to_earlier.num_rows}
    return Report(counts=counts | {"old_url_rows": sum(table.num_rows for table in corpora)})


def lost_by_address_to_earlier(unit: Unit, lost: Shuffled, shard: int) -> pa.Table:
    """`LOST_TO_EARLIER` of the shard with this number."""
    return pa.concat_tables([LOST_TO_EARLIER.empty_table(), *lost.in_turn(unit.artifact, shard)])
