import pyarrow as pa

from dataprep import document_id, schemas
from dataprep.deduplicate.addresses import ADDRESS_ROWS, address_rows, at_earlier_address, same_address
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.split import SplitConfig, held_out

SPLIT = SplitConfig(validation_fraction=0.3)
A, B = (document_id.file_prefix(source, "f") for source in "ab")


def id_of(prefix: bytes, is_held_out: bool = False, skip: int = 0) -> bytes:
    ids = [document_id.pack(prefix, record) for record in range(100)]
    out = held_out(pa.array(ids, schemas.ID), SPLIT)
    return [name for name, held in zip(ids, out, strict=True) if held == is_held_out][skip]


def survivors(*ids: bytes, words: int = 10) -> pa.Table:
    counts = pa.array([words] * len(ids), pa.int64())
    return pa.table({"id": pa.array(ids, schemas.ID), "num_bytes": counts, "num_words": counts})


def lost(rows: list[tuple[bytes, str | None, int]], **config) -> dict[bytes, bytes]:
    """Loser -> keeper, of (id, URL, words)."""
    tables = [
        address_rows(survivors(name, words=words), pa.array([url], pa.string()), 1)[0] for name, url, words in rows
    ]
    found = same_address(pa.concat_tables(tables), SPLIT, DeduplicateConfig(**config))
    assert found.schema == schemas.VERDICTS
    for row in found.to_pylist():
        assert (row["reason"], row["value"], row["threshold"]) == ("url_duplicate", None, None)
    return {row["id"]: row["duplicate_of"] for row in found.to_pylist()}


def test_two_spellings_of_one_url_are_one_address():
    x, y, z = (id_of(A, skip=n) for n in range(3))
    pages = [
        (x, "http://X.example:80/a?utm_source=b#c", 10),
        (y, "https://x.example/a", 10),
        (z, "https://x.example/", 9),
    ]
    assert lost(pages) == {y: x}


def test_documents_without_an_address_are_left_alone():
    x, y, z = (id_of(A, skip=n) for n in range(3))
    assert lost([(x, None, 1), (y, None, 1), (z, "no url", 1)]) == {}


def test_the_order_of_keepers_holds_for_addresses():
    x, y, held = id_of(A), id_of(B), id_of(B, is_held_out=True)
    url = "https://x.example/"
    assert lost([(x, url, 9), (y, url, 10)]) == {x: y}
    assert lost([(x, url, 9), (y, url, 10)], source_priority={"a": 1}) == {y: x}
    assert lost([(x, url, 9), (y, url, 10), (held, url, 1)], source_priority={"a": 1}) == {x: held, y: held}


def test_an_address_is_in_one_partition_however_it_is_spelt():
    ids = [id_of(A, skip=n) for n in range(40)]
    urls = pa.array([f"http{s}://x.example/{n}" for s in ("", "s") for n in range(20)], pa.string())
    table, sizes = address_rows(survivors(*ids), urls, 4)
    assert table.schema == ADDRESS_ROWS
    assert (sum(sizes), len(sizes)) == (40, 4)
    assert all(size % 2 == 0 for size in sizes)
    assert min(sizes) > 0
    start, found = 0, []
    for size in sizes:
        found += table.slice(start, size)["address"].to_pylist()
        assert len(set(found)) == (start + size) // 2
        start += size


def address_table(*rows: tuple[bytes, str]) -> pa.Table:
    tables = [address_rows(survivors(name), pa.array([url], pa.string()), 1)[0] for name, url in rows]
    return pa.concat_tables([ADDRESS_ROWS.empty_table(), *tables])


def test_an_address_that_a_corpus_has_takes_all_documents_of_it():
    x, y, z = sorted(id_of(A, skip=n) for n in range(3))
    old = sorted(id_of(B, skip=n) for n in range(4))
    new = address_table((z, "http://x.example/a"), (y, "https://x.example/b"), (x, "https://x.example/a#c"))
    first = address_table((old[3], "https://x.example/a"), (old[1], "https://x.example/a"))
    second = address_table((old[0], "https://x.example/a"), (old[2], "https://x.example/c"))
    lost, left = at_earlier_address(new, [first, second])
    told = [(row["id"], row["duplicate_of"], row["corpus"], row["reason"]) for row in lost.to_pylist()]
    assert told == [(x, old[1], 0, "url_duplicate"), (z, old[1], 0, "url_duplicate")]  # ascending, as files are
    assert left["id"].to_pylist() == [y]


def test_without_an_earlier_corpus_nothing_is_lost_to_one():
    new = address_table((id_of(A), "https://x.example/a"))
    for corpora in ([], [ADDRESS_ROWS.empty_table()]):
        lost, left = at_earlier_address(new, corpora)
        assert (lost.num_rows, left) == (0, new)
    lost, left = at_earlier_address(ADDRESS_ROWS.empty_table(), [new])
    assert (lost.num_rows, left.num_rows) == (0, 0)
