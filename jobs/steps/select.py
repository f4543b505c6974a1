"""`select`: one unit an input shard; writes `verdicts`, arithmetic on the attributes and on what stands beside
them: URLs, what pages say of their use, what `clean` took."""

import pyarrow.compute as pc

from dataprep.select import select
from dataprep.tally import tally, tally_by_reason
from jobs.step_run import StepRun, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.selection import config_of, decided_from


def run(step: StepRun) -> None:
    shards = list(step.input_shards())
    where = {digest: path for path, digest in step.plan.lists.items()}
    reports = step.map("jobs.steps.select:unit", shards, common={"lists": where})
    step.check_takes_all(reports, "annotate")
    step.commit(total(reports))


def unit(unit: Unit, lists: dict[str, str]) -> Report:
    """Hold a shard's attributes against the thresholds. `lists` says where each list of the configuration lies, by
    its digest."""
    table = decided_from(unit.parents, unit.name, unit.config, lists)
    verdicts = select(table, config_of(unit.config))
    unit.write("verdicts", verdicts)
    return Report(
        tally_in=tally(table, "num_bytes"),
        tally_out=tally(verdicts.filter(pc.is_null(verdicts["reason"])), "num_bytes"),
        dropped=tally_by_reason(verdicts, "num_bytes"),
    )
