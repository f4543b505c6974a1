"""`select`: one unit an input shard; writes `verdicts`, arithmetic on the attributes alone."""

import pyarrow.compute as pc

from dataprep.select import SelectConfig, select
from dataprep.tally import tally, tally_by_reason
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report


def run(step: StepRun) -> None:
    reports = step.map("jobs.steps.select:unit", list(step.input_shards()))
    step.check_takes_all(reports, "annotate")
    step.commit(total(reports))


def unit(unit: Unit) -> Report:
    """Hold a shard's attributes against the thresholds."""
    attributes = unit.read("annotate", "attributes")
    verdicts = select(attributes, SelectConfig.model_validate(unit.config))
    unit.write("verdicts", verdicts)
    return Report(
        tally_in=tally(attributes, "num_bytes"),
        tally_out=tally(verdicts.filter(pc.is_null(verdicts["reason"])), "num_bytes"),
        dropped=tally_by_reason(verdicts, "num_bytes"),
    )
