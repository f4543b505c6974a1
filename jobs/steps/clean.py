"""`clean`: writes `edits`, row for row beside `documents`.

One unit an input shard. With `site_boilerplate`: `lines` (a unit an input shard) -> `recurring` (a partition of lines)
-> `sites` (a partition of sites) -> edits (a shard), shuffled through files whose pieces are the partitions.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep.clean import CleanConfig, clean, edit_table, rule_counts
from dataprep.errors import CorruptDataError
from dataprep.kernels.edits import from_table, then
from dataprep.kernels.text_buffers import column
from dataprep.kernels.text_view import num_surviving_bytes, surviving_text
from dataprep.site_boilerplate import (
    LINE_PAGES,
    SITE_PAGES,
    SiteBoilerplateConfig,
    boilerplate,
    boilerplate_cuts,
    by_partition,
    is_in,
    page_counts,
    recurring,
    site_hashes,
)
from dataprep.tally import tally
from jobs.shuffled import Shuffled, merged, row_bytes
from jobs.step_run import StepRun, check_handed_on, total
from jobs.unit import Unit
from seedbed.artifact import Report

TEXT_BYTES_PER_PARTITION = 256 << 20
"""Of all text: some 8 million lines, 24 bytes each for the unit that adds them up."""


def run(step: StepRun) -> None:
    """Decide what of every text goes."""
    shards = list(step.input_shards())
    if step.config["site_boilerplate"] is None:
        reports = step.map("jobs.steps.clean:unit", shards)
        step.check_takes_all(reports, "extract")
        step.commit(total(reports))
        return
    num_partitions = step.parents["extract"].committed()["bytes_out"] // TEXT_BYTES_PER_PARTITION + 1
    partitions = [f"{n:05d}" for n in range(num_partitions)]
    phase, handed_on = step.phases("jobs.steps.clean"), partial(check_handed_on, "clean")
    counted = phase("lines", shards, num_partitions=num_partitions)
    num_lines, num_sites = counted.counts["line_rows"], counted.counts["site_rows"]
    lines = merged(step, Shuffled("lines", shards), num_partitions, num_lines, row_bytes(LINE_PAGES), keep=True)
    pages = merged(step, Shuffled("pages", shards), num_partitions, num_sites, row_bytes(SITE_PAGES))
    found = phase("recurring", partitions, lines=lines, num_partitions=num_partitions)
    handed_on("line_rows", counted, found)
    num_recurring = found.counts["recurring_lines"]
    again = merged(step, Shuffled("recurring", partitions), num_partitions, num_recurring, row_bytes(LINE_PAGES))
    decided = phase("sites", partitions, pages=pages, lines=again)
    handed_on("site_rows", counted, decided)
    handed_on("recurring_lines", found, decided)
    reports = step.map("jobs.steps.clean:cut_unit", shards, common={"partitions": partitions})
    for shard, report in reports.items():
        check_handed_on(f"clean {shard}", "boilerplate_lines", decided, report)
    step.check_takes_all(reports, "extract")
    summed = total(reports)
    counts = {name: count for name, count in summed.counts.items() if name != "boilerplate_lines"}
    step.commit(replace(summed, counts=counts | counted.counts | found.counts | decided.counts))


def unit(unit: Unit) -> Report:
    """Decide what goes of a shard's texts, each by itself."""
    documents = unit.read("extract", "documents", ["id", "text"])
    edits = clean(documents, CleanConfig.model_validate(unit.config))
    unit.write("edits", edits)
    return _report(documents, edits)


def _report(documents: pa.Table, edits: pa.Table) -> Report:
    lengths = pc.cast(pc.binary_length(documents["text"]), pa.int64())
    surviving = edits.append_column("num_surviving_bytes", num_surviving_bytes(edits))
    return Report(
        tally_in=tally(documents.append_column("num_bytes", lengths), "num_bytes", "text"),
        tally_out=tally(surviving, "num_surviving_bytes"),
        bytes_cut=pc.sum(edits["num_cut_bytes"]).as_py() or 0,
        bytes_added=pc.sum(edits["num_added_bytes"]).as_py() or 0,
        counts=rule_counts(edits),
    )


def _boilerplate_config(unit: Unit) -> SiteBoilerplateConfig:
    return SiteBoilerplateConfig.model_validate(unit.config["site_boilerplate"])


def lines_unit(unit: Unit, num_partitions: int) -> Report:
    """Decide what goes of each text by itself, and count on how many pages each line is that is left."""
    documents = unit.read("extract", "documents", ["id", "url", "text"])
    edits = clean(documents, CleanConfig.model_validate(unit.config))
    unit.write_scratch("edits", edits)
    text = surviving_text(column(documents, "text"), edits)
    lines, sites = page_counts(text, site_hashes(column(documents, "url")))
    unit.write_scratch("lines", *by_partition(lines, "line", num_partitions))
    unit.write_scratch("pages", *by_partition(sites, "site", num_partitions))
    return Report(counts={"line_rows": lines.num_rows, "site_rows": sites.num_rows})


def recurring_unit(unit: Unit, lines: Shuffled, num_partitions: int) -> Report:
    """Add up the pages of one partition of lines; those on few pages end here."""
    parts = list(lines.in_turn(unit.artifact, int(unit.name)))
    found = recurring(parts, _boilerplate_config(unit))
    unit.write_scratch("recurring", *by_partition(found, "site", num_partitions))
    return Report(counts={"line_rows": sum(part.num_rows for part in parts), "recurring_lines": found.num_rows})


def sites_unit(unit: Unit, pages: Shuffled, lines: Shuffled) -> Report:
    """Decide which recurring lines of one partition of sites are boilerplate."""
    counted, again = (list(rows.in_turn(unit.artifact, int(unit.name))) for rows in (pages, lines))
    decided = boilerplate(again, counted, _boilerplate_config(unit))
    unit.write_scratch("boilerplate", decided)
    return Report(
        counts={
            "site_rows": sum(part.num_rows for part in counted),
            "recurring_lines": sum(part.num_rows for part in again),
            "boilerplate_lines": decided.num_rows,
        }
    )


def cut_unit(unit: Unit, partitions: list[str]) -> Report:
    """Add the boilerplate of their sites to what goes of a shard's texts."""
    documents = unit.read("extract", "documents", ["id", "url", "text"])
    edits = unit.artifact.read_scratch("edits", unit.name)
    if not edits["id"].equals(documents["id"]):
        raise CorruptDataError(f"{unit.name}: the edits of the texts by themselves do not stand beside the documents")
    text = column(documents, "text")
    own = np.sort(column(unit.artifact.read_scratch("lines", unit.name, ["line"]), "line").to_numpy())
    kept, num_lines = [], 0
    for partition in partitions:
        lines = column(unit.artifact.read_scratch("boilerplate", partition), "line").to_numpy()
        num_lines += len(lines)
        kept.append(lines[is_in(lines, own)])  # of all sites, what this shard has
    of_site = boilerplate_cuts(
        surviving_text(text, edits), site_hashes(column(documents, "url")), np.sort(np.concatenate(kept))
    )
    names = ("num_words_in_lines", "num_words_in_refinedweb_lines")
    num_words = np.stack([column(edits, name).to_numpy() for name in names])
    edits = edit_table(column(documents, "id"), text, then(from_table(edits), of_site), num_words)
    unit.write("edits", edits)
    report = _report(documents, edits)
    return replace(report, counts=report.counts | {"boilerplate_lines": num_lines})
