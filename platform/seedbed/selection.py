"""What `select` decides from: the attributes of a shard, and beside them what lists say of its documents."""

import functools
import json
from typing import Any

import pyarrow as pa

from dataprep.removals import Removals, parse
from dataprep.select import NEVER_DECIDE, SelectConfig, beside_attributes
from dataprep.url_lists import UrlLists
from seedbed.artifact import Artifact
from seedbed.list_files import named_by, read_list


def decided_from(
    extract: Artifact, annotate: Artifact, unit: str, settings: dict[str, Any], lists: dict[str, str]
) -> pa.Table:
    """The columns that the rules of `settings` (the configuration of the step `select`) look at, for one shard.

    `lists` says where each list of `settings` lies, by its digest.
    """
    with annotate.open_parquet("attributes", unit) as file:
        names = [name for name in file.schema_arrow.names if name not in NEVER_DECIDE]
    attributes = annotate.read_table("attributes", unit, names)
    removals, url_lists = _lists(json.dumps(settings), json.dumps(lists))
    if removals is None and url_lists is None:
        return attributes
    documents = extract.read_table("documents", unit, ["id", "url"])
    return beside_attributes(attributes, documents, removals, url_lists)


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
