"""Whether `deduplicate` took more of a source or language than was expected, and what a person is shown then."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataprep import document_id
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.guard import Loss, complaints, largest
from dataprep.domain_cap import REASONS as OVER_CAP
from dataprep.errors import DataError
from dataprep.schemas import ID
from jobs.step_run import StepRun
from seedbed.artifact import Report

_CAME, _LOST = "language_documents/", "language_lost/"

CURE = (
    "look at the groups (`seedbed sample deduplicate`); then mend the source, raise data.deduplicate.min_jaccard, or "
    "widen the range"
)


def counts_by_language(languages: pa.Array, is_lost: pa.Array) -> dict[str, int]:
    """Counts for a unit's report."""
    came, lost = pc.value_counts(languages), pc.value_counts(languages.filter(is_lost))
    counted = [(prefix, row) for prefix, rows in ((_CAME, came), (_LOST, lost)) for row in rows.to_pylist()]
    return {f"{prefix}{row['values']}": row["counts"] for prefix, row in counted}


def losses(step: StepRun, reports: dict[str, Report]) -> tuple[dict[str, Loss], dict[str, Loss]]:
    """By source and by language, out of the reports of all shards. What a cap takes is no loss to copies."""
    source_of = {shard["unit"]: shard["source"] for shard in step.parents["extract"].committed()["input_shards"]}
    sources: dict[str, Loss] = {}
    languages: dict[str, Loss] = {}
    for shard, report in reports.items():
        copies = (tally.records for reason, tally in report.dropped.items() if reason not in OVER_CAP)
        lost = Loss(report.tally_in.records, sum(copies))
        sources[source_of[shard]] = sources.get(source_of[shard], Loss(0, 0)) + lost
        for name, number in report.counts.items():
            kind, _, code = name.partition("/")
            if kind + "/" in (_CAME, _LOST):
                loss = Loss(number, 0) if kind + "/" == _CAME else Loss(0, number)
                languages[code] = languages.get(code, Loss(0, 0)) + loss
    return sources, languages


def check_losses(step: StepRun, sources: dict[str, Loss], languages: dict[str, Loss], group_parts: list[str]) -> None:
    """Raises DataError, with the largest groups, where a share is outside the range that the run file gives it."""
    config = DeduplicateConfig.model_validate(step.config["deduplicate"])
    said = complaints(sources, languages, config.expected_loss)
    if said:
        groups = largest([step.artifact.read_scratch("largest", part) for part in group_parts])
        shown = [_told(step, group) for group in groups.to_pylist()]
        raise DataError("\n".join([*said, "the largest groups of copies:", *shown, CURE]))


def _told(step: StepRun, group: dict[str, Any]) -> str:
    extract = step.parents["extract"]
    lead = group["id"][: document_id.PREFIX_BYTES].hex()
    shard = next(shard for shard in extract.committed()["input_shards"] if shard["prefix"] == lead)
    rows = extract.read_rows("documents", shard["unit"], pa.array([group["id"]], ID), ["id", "url"])
    url = rows["url"][0].as_py() or "no URL"
    name = document_id.format_id(group["id"], shard["source"], shard["path"])
    return f"  {group['documents']:,} documents, {group['lost']:,} lost: {name} ({url}) and others"
