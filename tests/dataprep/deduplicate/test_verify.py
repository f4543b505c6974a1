import pyarrow as pa
import pytest
import xxhash

from dataprep import schemas
from dataprep.deduplicate import verify as verify_module
from dataprep.deduplicate.edges import EDGES, VERIFIED_EDGES
from dataprep.deduplicate.verify import ids_to_read, verify
from dataprep.errors import CorruptDataError

TEXTS = {1: "a b c d", 2: "a b c d", 3: "a b c x", 4: "y z"}


def id_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


def edges(*pairs: tuple[int, int]) -> pa.Table:
    return pa.Table.from_pylist([{"low": id_of(low), "high": id_of(high)} for low, high in pairs], EDGES)


def texts(*numbers: int) -> pa.Table:
    text = pa.array([TEXTS[n] for n in numbers], pa.large_string())
    return pa.table({"id": pa.array([id_of(n) for n in numbers], schemas.ID), "text": text})


def hashes(*numbers: int) -> pa.Table:
    content = pa.array([xxhash.xxh3_128_digest(TEXTS[n].encode()) for n in numbers], schemas.ID)
    return pa.table({"id": pa.array([id_of(n) for n in numbers], schemas.ID), "content_hash": content})


def test_alike_stay_with_their_similarity_and_unlike_are_counted():
    found = verify(edges((1, 2), (1, 3), (3, 4)), hashes(4, 3, 2, 1), texts(4, 1, 3), ngram_words=1, min_jaccard=0.6)
    assert found.edges.schema == VERIFIED_EDGES
    assert [(e["low"][-1], e["high"][-1], e["similarity"]) for e in found.edges.to_pylist()] == [
        (1, 2, 1.0),  # equal content: no text was asked for
        (1, 3, 0.6),  # {a, b, c} of {a, b, c, d, x}; the threshold itself is enough
    ]
    assert found.num_rejected == 1


def test_only_unlike_contents_are_read():
    assert ids_to_read(edges((1, 2), (1, 3)), hashes(1, 2, 3)).to_pylist() == [id_of(1), id_of(3)]
    assert ids_to_read(edges((1, 2)), hashes(1, 2)).to_pylist() == []


def test_batches_change_nothing(monkeypatch):
    args = edges((1, 3), (2, 4), (3, 4)), hashes(1, 2, 3, 4), texts(1, 2, 3, 4), 2, 0.0
    whole = verify(*args)
    monkeypatch.setattr(verify_module, "MAX_BATCH_BYTES", 8)
    assert verify(*args).edges.equals(whole.edges)


def test_no_edges():
    found = verify(EDGES.empty_table(), hashes(), texts(), ngram_words=5, min_jaccard=0.8)
    assert found.edges.equals(VERIFIED_EDGES.empty_table())
    assert found.num_rejected == 0


def test_a_missing_document_is_refused():
    with pytest.raises(CorruptDataError, match=r"1 of 1 documents have no text, the first is 0{31}3"):
        verify(edges((1, 3)), hashes(1, 3), texts(1), ngram_words=1, min_jaccard=0.5)
    with pytest.raises(CorruptDataError, match=r"have no content hash, the first is 0{31}3"):
        verify(edges((1, 3)), hashes(1), texts(1, 3), ngram_words=1, min_jaccard=0.5)
