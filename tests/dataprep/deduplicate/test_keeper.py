import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep import document_id, schemas
from dataprep.deduplicate import config as config_module
from dataprep.deduplicate.components import components
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import VERIFIED_EDGES
from dataprep.deduplicate.keeper import CHAINS, Lost, far_pairs, losers, members_of, verdicts
from dataprep.errors import CorruptDataError
from dataprep.split import SplitConfig, held_out

SPLIT = SplitConfig(validation_fraction=0.3)
A, B = (document_id.file_prefix(source, "f") for source in "ab")


def ids_where(is_held_out: bool, prefix: bytes = A, count: int = 3) -> list[bytes]:
    """The first ids of a file that are, or are not, held out."""
    ids = [document_id.pack(prefix, record) for record in range(100)]
    out = held_out(pa.array(ids, schemas.ID), SPLIT)
    return [name for name, held in zip(ids, out, strict=True) if held == is_held_out][:count]


def decided(edges, words=None, contents=None, far=0.5, **config) -> Lost:
    """Of edges (a, b, similarity); pairs that nobody compared turn out to be alike by `far`."""
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
    members, decide = members_of(components(table), attributes), DeduplicateConfig(**config)
    pairs = far_pairs(members, table, SPLIT, decide)
    compared = pairs.append_column(VERIFIED_EDGES.field("similarity"), pa.array([far] * pairs.num_rows, pa.float64()))
    result = losers(members, table, compared, SPLIT, decide)
    assert (result.verdicts.schema, result.chains.schema) == (schemas.VERDICTS, CHAINS)
    assert set(result.verdicts["threshold"].to_pylist()) <= {0.8}
    for row in result.verdicts.to_pylist():
        assert row["num_bytes"] == 100 + ids.index(row["id"])
    return result


def lost(edges, *args, **arguments) -> dict[bytes, tuple[bytes, str, float | None]]:
    """Loser -> keeper, reason, value."""
    found = decided(edges, *args, **arguments).verdicts.to_pylist()
    return {row["id"]: (row["duplicate_of"], row["reason"], row["value"]) for row in found}


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


def test_the_end_of_a_chain_is_kept_where_it_is_unlike_the_first():
    x, y, z = ids_where(False)
    chain = [(x, y, 0.8), (y, z, 0.85)]
    assert lost(chain, far=0.7) == {y: (x, "near_duplicate", 0.8)}
    assert lost(chain, far=0.7, chains="drop") == {
        y: (x, "near_duplicate", 0.8),
        z: (x, "near_duplicate", 0.7),
    }
    for chains, keeper in (("keep", None), ("drop", x)):
        (row,) = decided(chain, far=0.7, chains=chains).chains.to_pylist()
        assert row == {"id": z, "first": x, "similarity": 0.7, "duplicate_of": keeper}


def test_what_nobody_had_compared_and_is_alike_is_no_chain():
    x, y, z = ids_where(False)
    found = decided([(x, y, 0.8), (y, z, 0.85)], far=0.8)
    assert found.chains.num_rows == 0
    assert found.verdicts["duplicate_of"].to_pylist() == [x, x]


def test_of_two_ends_of_a_chain_that_are_alike_one_is_kept():
    w, x, y, z = ids_where(False, count=4)
    chain = [(w, x, 0.8), (x, y, 0.8), (x, z, 0.8), (y, z, 0.9)]
    assert lost(chain) == {x: (w, "near_duplicate", 0.8), z: (y, "near_duplicate", 0.9)}
    assert decided(chain).chains["duplicate_of"].to_pylist() == [None, y]


def test_documents_of_equal_content_fall_together_though_one_alone_was_compared():
    x, y, z = ids_where(False)
    content = {y: bytes(16), z: bytes(16)}
    assert lost([(x, y, 0.9), (y, z, 1.0)], contents=content) == {
        y: (x, "near_duplicate", 0.9),
        z: (x, "near_duplicate", 0.9),
    }
    assert lost([(x, z, 0.7), (y, z, 1.0)], contents=content) == {z: (y, "exact_duplicate", 1.0)}


def test_a_pair_that_is_missing_is_refused():
    x, y, z = ids_where(False)
    rows = [{"low": a, "high": b, "similarity": 0.9} for a, b in ((x, y), (y, z))]
    edges = pa.Table.from_pylist(rows, VERIFIED_EDGES)
    ids = pa.array([x, y, z], schemas.ID)
    attributes = pa.table({"id": ids, "num_bytes": [1, 1, 1], "num_words": [1, 1, 1], "content_hash": ids})
    members = members_of(components(edges), attributes)
    with pytest.raises(CorruptDataError, match=f"nobody compared document {z.hex()} with the first"):
        losers(members, edges, VERIFIED_EDGES.empty_table(), SPLIT, DeduplicateConfig())


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
        members_of(components(edges), attributes)


def test_sources_that_cannot_be_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr(config_module, "source_number", lambda name: 7)
    with pytest.raises(ValidationError, match="source_priority: b and a have the same 24-bit hash"):
        DeduplicateConfig(source_priority={"a": 1, "b": 2})
