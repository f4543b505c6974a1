"""`ledger`: what became of every record, shard by shard, and the index of URLs."""

import pyarrow.compute as pc

from dataprep.tally import Tally, tally, tally_by_reason
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, total
from jobs.unit import Unit
from seedbed.artifact import Report
from seedbed.errors import ConservationError
from seedbed.ledger import KEPT, URLS, URLS_PER_PARTITION, ledger_of_shard, url_rows


def run(step: StepRun) -> None:
    """One row for each record that `extract` read, in the shard that it was read in."""
    shards = list(step.input_shards())
    records = sum(_extract_report(step, shard).tally_in.records for shard in shards)
    partitions = records // URLS_PER_PARTITION + 1
    reports = step.map("jobs.steps.ledger:unit", shards, common={"num_partitions": partitions})
    for shard, report in reports.items():
        if report.tally_in != _extract_report(step, shard).tally_in:
            raise ConservationError(f"ledger {shard}: its rows are not the records that extract read")
        corpus = step.parents["corpus"].report("map", shard)
        kept = Tally(corpus.tally_out.records, corpus.tally_out.checksum) if corpus else Tally()
        if report.tally_out != kept:
            raise ConservationError(f"ledger {shard}: the rows it calls kept are not the documents of the corpus")
    numbers = [f"{partition:05d}" for partition in range(partitions)]
    summed = total(reports)
    urls = merged(step, Shuffled("urls", shards), partitions, summed.counts["urls"], row_bytes(URLS))
    index = step.phases("jobs.steps.ledger")("urls", numbers, urls=urls)
    check_handed_on("ledger", "urls", summed, index)
    step.commit(summed, url_partitions=partitions)


def _extract_report(step: StepRun, shard: str) -> Report:
    report = step.parents["extract"].report("map", shard)
    assert report is not None, "extract was committed"
    return report


def unit(unit: Unit, num_partitions: int) -> Report:
    """Write the ledger of a shard, and its URLs for the index."""
    ledger = ledger_of_shard(unit.parents, unit.name)
    unit.write("ledger", ledger)
    rows, sizes = url_rows(ledger, num_partitions)
    unit.write_scratch("urls", rows, sizes)
    kept = ledger.filter(pc.equal(ledger["outcome"], KEPT))
    return Report(
        tally_in=tally(ledger.select(["id"]), None),
        tally_out=tally(kept, None),
        dropped=tally_by_reason(ledger, None),
        counts={"urls": rows.num_rows},
    )


def urls_unit(unit: Unit, urls: Shuffled) -> Report:
    """Merge one partition of the URL index: one piece of every shard's file."""
    rows = urls.piece(unit.artifact, int(unit.name))
    in_order = rows.sort_by([("url_hash", "ascending"), ("document", "ascending")])
    unit.write("urls", in_order)
    return Report(counts={"urls": in_order.num_rows})
