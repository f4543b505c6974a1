"""What `select` decides from: the attributes of a shard, and beside them what lists say of its documents and what
filters want to know of the page and of what `clean` took of it."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from dataprep.removals import Removals, parse
from dataprep.select import NEVER_DECIDE, SelectConfig, beside_attributes, with_columns
from dataprep.url_lists import UrlLists
from seedbed.artifact import Artifact
from seedbed.list_files import named_by, read_list

ARTIFACT_OF = {"documents": "extract", "edits": "clean"}
"""The step that writes each table of `dataprep.select.BESIDE_TABLES`."""

READ_FROM = ("extract", "clean", "annotate")
"""The steps whose artifacts are read."""


def decided_from(
    artifacts: Mapping[str, Artifact], unit: str, settings: dict[str, Any], lists: dict[str, str]
) -> pa.Table:
    """The columns that the rules of `settings` (the configuration of the step `select`) look at, for one shard.

    `artifacts` holds those of `READ_FROM`. `lists` says where each list of `settings` lies, by its digest. No text is
    read, and of other tables only the columns that a filter or a list asks for.
    """
    with artifacts["annotate"].open_parquet("attributes", unit) as file:
        names = [name for name in file.schema_arrow.names if name not in NEVER_DECIDE]
    attributes = artifacts["annotate"].read_table("attributes", unit, names)
    for table, columns in config_of(settings).columns_beside().items():
        beside = artifacts[ARTIFACT_OF[table]].read_table(table, unit, ["id", *columns])
        attributes = with_columns(attributes, beside, table, columns)
    removals, url_lists = _lists(json.dumps(settings), json.dumps(lists))
    if removals is None and url_lists is None:
        return attributes
    documents = artifacts["extract"].read_table("documents", unit, ["id", "url"])
    return beside_attributes(attributes, documents, removals, url_lists)


def read_by(settings: dict[str, Any]) -> str:
    """What of `settings` decides which columns `decided_from` gives, and what stands in them: two that agree in it
    share a table."""
    config = config_of(settings)
    lists = None if config.url is None else config.url.model_dump(include=LISTS_OF_URLS, mode="json")
    return json.dumps([config.columns_beside(), lists, settings["removals"]], sort_keys=True)


LISTS_OF_URLS = {"blocked_domains", "hard_words", "soft_words", "shipped_lists"}
"""The keys of `select.url` that say which lists there are; the others are thresholds."""


def config_of(settings: dict[str, Any]) -> SelectConfig:
    """The filters of a configuration of the step."""
    return SelectConfig.model_validate(settings["select"])


@functools.lru_cache(1)
def _lists(settings: str, lists: str) -> tuple[Removals | None, UrlLists | None]:
    """What the lists of the configuration hold; a worker reads them once for all its shards. Both texts are JSON."""
    value: dict[str, Any] = json.loads(settings)
    # A run's other files, models among them, are no business of this step.
    contents = {digest: read_list(path, digest) for digest, path in named_by(value, json.loads(lists)).items()}
    removals = [entry for digest in value["removals"] for entry in parse(contents[digest], digest)]
    url = config_of(value).url
    return (Removals.of(removals) if removals else None), (None if url is None else url.lists(contents))
