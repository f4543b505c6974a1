"""How many records may fail in the extractor before a run fails. Decided on the committed step, so that what failed can
be looked at, and that a run which allows less does not inherit another's patience."""

from typing import Any

from dataprep.extraction.isolation import QUARANTINE_REASONS
from seedbed.errors import QuarantineError


def check_quarantine(extract: dict[str, Any], allowed: float, run_id: str) -> None:
    """Raises QuarantineError when more than the share `allowed` failed, by the manifest of `extract`."""
    failed = {reason: extract["dropped"][reason] for reason in QUARANTINE_REASONS if reason in extract["dropped"]}
    share = sum(failed.values()) / max(extract["records_in"], 1)
    if share <= allowed:
        return
    counts = ", ".join(f"{number:,} {reason}" for reason, number in failed.items())
    raise QuarantineError(
        f"extract: {counts} of {extract['records_in']:,} records: {share:.2%} failed in the extractor, allowed are "
        f"{allowed:.2%} (data.max_quarantined_fraction). What was read is kept: look at what failed with "
        f"`seedbed sample extract --reason {next(iter(failed))} --run {run_id}`, then raise the limit or take the file "
        "out"
    )
