import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep import document_id, schemas
from dataprep.deduplicate import config as config_module
from dataprep.deduplicate.components import components
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import VERIFIED_EDGES
from dataprep.deduplicate.keeper import losers, verdicts
from dataprep.errors import CorruptDataError
from dataprep.split import SplitConfig, held_out

SPLIT = SplitConfig(validation_fraction=0.3)
A, B = (document_id.file_prefix(source, "f") for source in "ab")


def ids_where(is_held_out: bool, prefix: bytes = A, count: int = 3) -> list[bytes]:
    """The first ids of a file that are, or are not, held out."""
    ids = [document_id.pack(prefix, record) for record in range(100)]
    out = held_out(pa.array(ids, schemas.ID), SPLIT)
    return [name for name, held in zip(ids, out, strict=True) if held == is_held_out][:count]


def lost(edges, words=None, contents=None, **config) -> dict[bytes, tuple[bytes, str, float | None]]:
    """Loser -> keeper, reason, value; of edges (a, b, similarity)."""
    rows = [dict(zip(VERIFIED_EDGES.names, (*sorted(e[:2]), e[2]), strict=True)) for e in edges]
    table = pa.Table.from_pylist(rows, VERIFIED_EDGES)
    ids = sorted({name for edge in edges for name in edge[:2]})
    attributes = pa.table(
        {
            "id": pa.array(ids, schemas.ID),
            "num_bytes": pa.array([100 + i for i in range(len(ids))], pa.int64()),
            "content_hash": pa.array([(contents or {}).get(name, name) for name in ids], schemas.ID),
            "num_words": pa.array([(words or {}).get(name, 10) for name in ids], pa.int64()),
        }
    )
    result = losers(components(table), table, attributes, SPLIT, DeduplicateConfig(**config))
    assert result.schema == schemas.VERDICTS
    assert set(result["threshold"].to_pylist()) <= {0.8}
    for row in result.to_pylist():
        assert row["num_bytes"] == 100 + ids.index(row["id"])
    return {row["id"]: (row["duplicate_of"], row["reason"], row["value"]) for row in result.to_pylist()}


def test_all_else_equal_the_smallest_id_stays():
    x, y, _ = ids_where(False)
    assert lost([(x, y, 0.9)]) == {y: (x, "near_duplicate", 0.9)}


def test_more_words_come_before_the_id():
    x, y, _ = ids_where(False)
    assert lost([(x, y, 0.9)], words={y: 11}) == {x: (y, "near_duplicate", 0.9)}


def test_source_priority_comes_before_words():
    x, y = ids_where(False, A)[0], ids_where(False, B)[0]
    words = {x: 99}
    assert lost([(x, y, 0.9)], words, source_priority={"b": 1}) == {x: (y, "near_duplicate", 0.9)}
    assert lost([(x, y, 0.9)], words, source_priority={"b": -1}) == {y: (x, "near_duplicate", 0.9)}


def test_held_out_comes_before_source_priority():
    held, x = ids_where(True, B)[0], ids_where(False, A)[0]
    found = lost([(x, held, 0.9)], words={x: 99}, source_priority={"a": 9})
    assert found == {x: (held, "near_duplicate_of_heldout", 0.9)}


def test_equal_content_is_an_exact_duplicate_unless_it_protects_the_held_out():
    x, y, _ = ids_where(False)
    held, other_held, _ = sorted(ids_where(True))
    content = {name: bytes(16) for name in (x, y, held, other_held)}
    assert lost([(x, y, 1.0)], contents=content) == {y: (x, "exact_duplicate", 1.0)}
    assert lost([(x, held, 1.0), (held, other_held, 1.0)], contents=content) == {
        x: (held, "near_duplicate_of_heldout", 1.0),
        other_held: (held, "exact_duplicate", 1.0),
    }


def test_the_end_of_a_chain_has_no_measured_value():
    x, y, z = ids_where(False)
    assert lost([(x, y, 0.8), (y, z, 0.85)]) == {
        y: (x, "near_duplicate", 0.8),
        z: (x, "near_duplicate", None),  # it hangs on y; nobody compared it with x
    }


def test_every_survivor_gets_a_verdict():
    x, y, z = ids_where(False)
    names = {"id": pa.array([x, y, z], schemas.ID), "num_bytes": [1, 2, 3]}
    decided = {"reason": ["near_duplicate"], "value": [0.9], "threshold": [0.8]}
    one = {"id": pa.array([y], schemas.ID), "num_bytes": [2], **decided, "duplicate_of": pa.array([x], schemas.ID)}
    table = verdicts(pa.table(names), pa.table(one))
    assert table.schema == schemas.VERDICTS
    assert table["num_bytes"].to_pylist() == [1, 2, 3]
    assert table["reason"].to_pylist() == [None, "near_duplicate", None]
    assert table["duplicate_of"].to_pylist() == [None, x, None]


def test_no_duplicates_no_losers():
    assert lost([]) == {}


def test_a_duplicate_without_attributes_is_refused():
    x, y, _ = ids_where(False)
    edges = pa.Table.from_pylist([{"low": x, "high": y, "similarity": 1.0}], VERIFIED_EDGES)
    attributes = pa.table(
        {
            "id": pa.array([x], schemas.ID),
            "num_bytes": [1],
            "content_hash": pa.array([x], schemas.ID),
            "num_words": [1],
        }
    )
    with pytest.raises(CorruptDataError, match=f"1 of 2 documents have no attributes, the first is {y.hex()}"):
        losers(components(edges), edges, attributes, SPLIT, DeduplicateConfig())


def test_sources_that_cannot_be_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr(config_module, "source_number", lambda name: 7)
    with pytest.raises(ValidationError, match="source_priority: b and a have the same 24-bit hash"):
        DeduplicateConfig(source_priority={"a": 1, "b": 2})
