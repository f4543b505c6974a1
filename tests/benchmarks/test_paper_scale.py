import pytest

from benchmarks.deduplication.paper_scale import PER_UNIT, at_scale


def test_what_was_measured_is_multiplied_and_units_are_counted_as_the_step_counts_them():
    """1 MB of text in 100 documents; a TB is a million times that."""
    phase = {"units": 1, "seconds": 0.036, "num_bytes": 1_000, "files": 2, "text_bytes": 0}
    phases = {name: dict(phase) for name in PER_UNIT} | {"components": phase}
    phases["gather"]["text_bytes"] = 134_217_728 // 1000  # of a thousandth of a partition of blocks
    counts = {"candidate_pairs": 20, "proposed_pairs": 30, "verified_pairs": 10}
    counts |= {"band_rows": 1900, "members": 15, "losers": 8}
    found = {"documents": 100, "text_bytes": 1_000_000, "phases": phases, "counts": counts}
    told = at_scale(found, terabytes=1, shard_bytes=1e9, pairs_per_second=1000)
    assert told["documents"] == 100e6
    assert told["core_hours"] == pytest.approx(13 * 0.036 * 1e6 / 3600)
    assert told["scratch_bytes"] == pytest.approx(13 * 1_000 * 1e6)
    # 1,000 shards, 101 partitions of a million documents, 10 MB of pairs: 5 partitions of two million and one.
    units = [told[f"{name}_units"] for name in ("shards", "partitions", "blocks", "far_blocks", "groups")]
    assert units == [1000, 101, 1000, 1, 6]
    assert told["files"] == 2 * (7 * 1000 + 101 + 1000 + 1 + 2 * 6)
    # Bands, and pairs by shard; texts, their pairs, and what is alike; members, their pairs, and who lost.
    assert told["pieces"] == 2 * 1000 * 101 + 3 * 1000 * 1000 + 3 * 1000 * 6
    # A million pieces are merged: 134 GB of text by 500 units in 22 ranges and 23 groups, a GB of pairs by four in 2
    # and 2 and 400 MB by two: one range of the pieces, two groups of the files.
    few = 2 * 1000 * 101 + 3 * 1000 * 6
    assert told["reads"] == few + 1000 * (22 + 23) + 1000 * (2 + 2) + 1000 * (1 + 2)
    assert told["merged_bytes"] == pytest.approx(134_217 * 1e6 + 20e6 * 52 + 10e6 * 40)
    assert told["component_hours"] == pytest.approx(10e6 / 1000 / 3600)
    assert told["edges_bytes"] == 10e6 * 256
