"""Tables between phases that are merged although they are small."""

import pytest

from jobs import shuffled


def merge_all(monkeypatch: pytest.MonkeyPatch, unit_bytes: int = 1000) -> set[tuple[str, str]]:
    """From now on every table that can be is merged, by units of about so many bytes; a set that fills with the step
    and the name of each."""
    monkeypatch.setattr(shuffled, "MERGED_PIECES", 1)
    monkeypatch.setattr(shuffled, "LEAST_SAVING", 0)
    monkeypatch.setattr(shuffled, "MERGED_BYTES", unit_bytes)
    merged, real = set(), shuffled.merge_unit

    def merge_unit(unit, written, **more):
        merged.add((unit.artifact.kind, written.table))
        return real(unit, written, **more)

    monkeypatch.setattr(shuffled, "merge_unit", merge_unit)
    return merged
