"""The documents of one URL in `deduplicate`.

urls (a unit a shard) [, old_urls (a shard of an old corpus)] -> same_url (a partition of addresses)
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa

from dataprep.deduplicate.addresses import ADDRESS_ROWS, address_rows, at_earlier_address, same_address
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.earlier import LOST_TO_EARLIER
from dataprep.deduplicate.lookup import rows_of
from dataprep.kernels.text_buffers import column
from dataprep.split import SplitConfig
from jobs.by_shard import by_shard, piece_of, pieces_of
from jobs.old_shards import OldShards, artifacts_of
from jobs.step_run import StepRun, check_handed_on, total
from jobs.survivors import is_survivor, survivors
from jobs.unit import Unit
from seedbed.artifact import Report

FACTS = ["id", "num_bytes", "num_words"]


def find_same_urls(
    step: StepRun, phase: Callable[..., Report], prefixes: dict[str, str], partitions: list[str], old: OldShards
) -> tuple[dict[str, int], list[str]]:
    """The counts, and the partitions whose units have written who lost; none where nobody asked."""
    if not step.config["deduplicate"]["same_url"]:
        return {"url_losers": 0} | ({"earlier_url_losers": 0} if old.corpora else {}), []
    handed_on = partial(check_handed_on, step.artifact.kind)
    urls = phase("urls", list(prefixes), num_partitions=len(partitions))
    old_urls = total(
        step.map("jobs.steps.addresses:old_urls_unit", old.units, "old_urls", old.arguments(len(partitions)))
    )
    same_url = phase("same_url", partitions, prefixes=prefixes, old_parts=old.by_corpus)
    handed_on("url_rows", urls, same_url)
    handed_on("old_url_rows", Report(counts={"old_url_rows": 0}) + old_urls, same_url)
    names = ("url_losers", "earlier_url_losers") if old.corpora else ("url_losers",)
    return {name: same_url.counts[name] for name in names}, partitions


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


def same_url_unit(unit: Unit, prefixes: dict[str, str], old_parts: list[list[str]]) -> Report:
    """All but one document of each address of one partition, and all of an address that an earlier corpus has."""
    part = int(unit.name)
    rows = pieces_of(unit.artifact, "urls", list(prefixes), part)
    corpora = [
        pa.concat_tables([ADDRESS_ROWS.empty_table(), *(piece_of(unit.artifact, "old_urls", p, part) for p in parts)])
        for parts in old_parts
    ]
    to_earlier, left = at_earlier_address(rows, corpora)
    split = SplitConfig.model_validate(unit.config["split"])
    lost = same_address(left, split, DeduplicateConfig.model_validate(unit.config["deduplicate"]))
    unit.write_scratch("same_url", *by_shard(lost, "id", prefixes))
    unit.write_scratch("earlier_url", *by_shard(to_earlier, "id", prefixes))
    counts = {"url_rows": rows.num_rows, "url_losers": lost.num_rows, "earlier_url_losers": to_earlier.num_rows}
    return Report(counts=counts | {"old_url_rows": sum(table.num_rows for table in corpora)})


def lost_by_address_to_earlier(unit: Unit, url_parts: list[str], shard: int) -> pa.Table:
    """`LOST_TO_EARLIER` of the shard with this number."""
    lost = [piece_of(unit.artifact, "earlier_url", part, shard) for part in url_parts]
    return pa.concat_tables([LOST_TO_EARLIER.empty_table(), *lost])
