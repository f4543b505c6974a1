"""`clean`: one unit an input shard; writes `edits`, row for row beside `documents`."""

import pyarrow as pa
import pyarrow.compute as pc

from dataprep.clean import CleanConfig, clean
from dataprep.tally import tally
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report


def run(step: StepRun) -> None:
    reports = step.map("jobs.steps.clean:unit", list(step.input_shards()))
    step.check_takes_all(reports, "extract")
    step.commit(total(reports))


def unit(unit: Unit) -> Report:
    """Decide which lines of a shard's texts go."""
    documents = unit.read("extract", "documents", ["id", "text"])
    edits = clean(documents, CleanConfig.model_validate(unit.config))
    unit.write("edits", edits)
    lengths = pc.cast(pc.binary_length(documents["text"]), pa.int64())
    surviving = edits.append_column("num_surviving_bytes", pc.subtract(edits["num_bytes"], edits["num_cut_bytes"]))
    return Report(
        tally_in=tally(documents.append_column("num_bytes", lengths), "num_bytes", "text"),
        tally_out=tally(surviving, "num_surviving_bytes"),
        bytes_cut=pc.sum(edits["num_cut_bytes"]).as_py() or 0,
    )
