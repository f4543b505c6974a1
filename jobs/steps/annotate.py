"""`annotate`: one unit an input shard; writes `attributes`, row for row beside `documents`."""

import pyarrow.compute as pc

from dataprep.annotate import AnnotateConfig, annotate
from dataprep.tally import tally
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.list_files import read_list


def run(step: StepRun) -> None:
    shards = list(step.input_shards())
    where = {digest: path for path, digest in step.plan.lists.items()}
    reports = step.map("jobs.steps.annotate:unit", shards, arguments={shard: {"lists": where} for shard in shards})
    step.check_takes_all(reports, "clean")
    step.commit(total(reports))


def unit(unit: Unit, lists: dict[str, str]) -> Report:
    """Measure a shard's texts as they are after `clean`. `lists` says where each list of the configuration lies, by
    its digest."""
    documents = unit.read("extract", "documents", ["id", "text"])
    edits = unit.read("clean", "edits")
    contents = {digest: read_list(path, digest) for digest, path in lists.items()}
    attributes = annotate(documents, edits, AnnotateConfig.model_validate(unit.config), contents)
    unit.write("attributes", attributes)
    surviving = edits.append_column("num_surviving_bytes", pc.subtract(edits["num_bytes"], edits["num_cut_bytes"]))
    return Report(tally_in=tally(surviving, "num_surviving_bytes"), tally_out=tally(attributes, "num_bytes"))
