"""`annotate`: one unit an input shard; writes `attributes`, row for row beside `documents`."""

from dataprep.annotate import AnnotateConfig, annotate
from dataprep.kernels.text_view import num_surviving_bytes
from dataprep.tally import tally
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report


def run(step: StepRun) -> None:
    reports = step.map("jobs.steps.annotate:unit", list(step.input_shards()))
    step.check_takes_all(reports, "clean")
    step.commit(total(reports))


def unit(unit: Unit) -> Report:
    """Measure a shard's texts as they are after `clean`."""
    documents = unit.read("extract", "documents", ["id", "text"])
    edits = unit.read("clean", "edits")
    attributes = annotate(documents, edits, AnnotateConfig.model_validate(unit.config))
    unit.write("attributes", attributes)
    surviving = edits.append_column("num_surviving_bytes", num_surviving_bytes(edits))
    return Report(tally_in=tally(surviving, "num_surviving_bytes"), tally_out=tally(attributes, "num_bytes"))
