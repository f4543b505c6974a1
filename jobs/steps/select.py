"""`select`: one unit an input shard; writes `verdicts`, arithmetic on the attributes and on the URLs beside them."""

import functools
import json
from typing import Any

import pyarrow.compute as pc

from dataprep.removals import Removals, parse
from dataprep.select import SelectConfig, beside_attributes, select
from dataprep.tally import tally, tally_by_reason
from dataprep.url_lists import UrlLists
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.list_files import named_by, read_list


def run(step: StepRun) -> None:
    shards = list(step.input_shards())
    where = named_by(step.config, step.plan.lists)
    reports = step.map("jobs.steps.select:unit", shards, arguments={shard: {"lists": where} for shard in shards})
    step.check_takes_all(reports, "annotate")
    step.commit(total(reports))


def unit(unit: Unit, lists: dict[str, str]) -> Report:
    """Hold a shard's attributes against the thresholds. `lists` says where each list of the configuration lies, by
    its digest."""
    attributes = unit.read("annotate", "attributes")
    documents = unit.read("extract", "documents", ["id", "url"])
    removals, url_lists = _lists(json.dumps(unit.config), json.dumps(lists))
    config = SelectConfig.model_validate(unit.config["select"])
    verdicts = select(beside_attributes(attributes, documents, removals, url_lists), config)
    unit.write("verdicts", verdicts)
    return Report(
        tally_in=tally(attributes, "num_bytes"),
        tally_out=tally(verdicts.filter(pc.is_null(verdicts["reason"])), "num_bytes"),
        dropped=tally_by_reason(verdicts, "num_bytes"),
    )


@functools.lru_cache(1)
def _lists(config: str, lists: str) -> tuple[Removals | None, UrlLists | None]:
    """What the lists of the configuration hold; a worker reads them once for all its shards. Both texts are JSON."""
    settings: dict[str, Any] = json.loads(config)
    contents = {digest: read_list(path, digest) for digest, path in json.loads(lists).items()}
    removals = [entry for digest in settings["removals"] for entry in parse(contents[digest], digest)]
    url = SelectConfig.model_validate(settings["select"]).url
    return (Removals.of(removals) if removals else None), (None if url is None else url.lists(contents))
