import pyarrow as pa
import pytest
from pydantic import ValidationError

from dataprep.deduplicate.lookup import rows_of
from dataprep.document_id import ID, mix
from dataprep.domain_cap import DOMAIN_ROWS, DomainCapConfig, domain_rows, over_cap
from dataprep.errors import CorruptDataError
from dataprep.schemas import VERDICTS

SITES = ["https://a.example.com/", "https://b.example.com/", "https://other.example.org/", None]


def survivors(*sizes: int) -> pa.Table:
    ids = pa.array([i.to_bytes(16, "big") for i in range(len(sizes))], ID)
    return pa.table({"id": ids, "num_bytes": pa.array(sizes, pa.int64())})


def documents(urls: list[str | None]) -> pa.Table:
    return pa.table({"id": survivors(*[0] * len(urls))["id"], "url": pa.array(urls, pa.string())})


def rows(urls: list[str | None], sizes: list[int]) -> pa.Table:
    return domain_rows(survivors(*sizes), documents(urls), 1)[0]


def in_order(ids: list[int], seed: int = 0) -> list[int]:
    """The documents in the order in which they are taken."""
    mixed = mix(survivors(*[0] * (max(ids) + 1))["id"], 0xD03A + seed)
    return sorted(ids, key=lambda number: int(mixed[number]))


def gone(table: pa.Table, **caps: int) -> list[tuple[int, str, float, float]]:
    """Number of the document, reason, value, threshold."""
    found = over_cap(table, DomainCapConfig(**caps))
    assert found.schema == VERDICTS
    assert found["duplicate_of"].null_count == found.num_rows
    return [
        (int.from_bytes(row["id"], "big"), row["reason"], row["value"], row["threshold"]) for row in found.to_pylist()
    ]


def test_a_domain_keeps_as_many_documents_as_it_may_by_the_order_of_a_hash():
    table = rows([SITES[n % 2] for n in range(6)], [10] * 6)  # two hosts of one domain
    order = in_order(list(range(6)))
    assert order != sorted(order)
    # The fourth and later ones would have made it four.
    expected = [(number, "too_many_documents_of_domain", 4.0, 3.0) for number in sorted(order[3:])]
    assert gone(table, max_documents=3) == expected
    assert gone(table, max_documents=6) == []
    other = [number for number, *_ in gone(table, max_documents=3, seed=1)]
    assert other == sorted(in_order(list(range(6)), seed=1)[3:])
    assert other != [number for number, *_ in expected]


def test_bytes_are_filled_up_by_what_still_fits():
    sizes = [0] * 4
    order = in_order([0, 1, 2, 3])
    for number, size in zip(order, (50, 60, 40, 20), strict=True):
        sizes[number] = size
    table = rows([SITES[0]] * 4, sizes)
    # 50 is taken; with 60 it would be 110; with 40 it is 90; with 20 it would be 110.
    reason = "too_many_bytes_of_domain"
    assert gone(table, max_bytes=100) == sorted([(order[1], reason, 110.0, 100.0), (order[3], reason, 110.0, 100.0)])
    # With both caps each document has the one that it breaks, documents first: the third is the second that fits.
    reasons = {number: why for number, why, _, _ in gone(table, max_bytes=100, max_documents=2)}
    assert reasons == {order[1]: reason, order[3]: "too_many_documents_of_domain"}


def test_domains_do_not_count_for_each_other_and_what_has_none_is_not_capped():
    urls = [SITES[0], SITES[2], SITES[0], SITES[2], None, None, "http://8.138.4.1/", "http://8.138.4.2/"]
    table = rows(urls, [10] * 8)
    assert table.num_rows == 6  # those with a domain
    found = {number for number, *_ in gone(table, max_documents=1)}
    assert found == {in_order([0, 2])[1], in_order([1, 3])[1]}


def test_neither_partitions_nor_the_order_of_rows_decide():
    urls = [f"https://{n % 3}.example.{suffix}/" for n in range(30) for suffix in ("com", "org", "net")]
    ids, where = survivors(*range(90)), documents(urls)
    whole, _ = domain_rows(ids, where, 1)
    expected = over_cap(whole, DomainCapConfig(max_documents=5, max_bytes=300))
    assert expected.num_rows > 60
    assert over_cap(whole.take(list(range(89, -1, -1))), DomainCapConfig(max_documents=5, max_bytes=300)) == expected
    table, sizes = domain_rows(ids, where, 7)
    assert table.schema == DOMAIN_ROWS
    assert sum(sizes) == 90
    parts, at = [], 0
    for size in sizes:
        parts.append(over_cap(table.slice(at, size), DomainCapConfig(max_documents=5, max_bytes=300)))
        at += size
    joined = pa.concat_tables(parts)
    places = rows_of(expected["id"].combine_chunks(), joined["id"].combine_chunks(), "cap")
    assert joined.num_rows == expected.num_rows
    assert joined.take(places) == expected


def test_survivors_of_another_shard_are_refused():
    with pytest.raises(CorruptDataError, match="2 of 3 survivors are not among the documents"):
        domain_rows(survivors(1, 2, 3), documents(SITES[:1]), 1)


def test_nothing_gives_nothing():
    table, sizes = domain_rows(survivors(), documents([]), 3)
    assert (table.num_rows, sizes) == (0, [0, 0, 0])
    assert gone(table, max_documents=1) == []


@pytest.mark.parametrize("keys", [{}, {"max_documents": 0}, {"max_bytes": 0}])
def test_a_cap_that_says_nothing_or_leaves_nothing_is_refused(keys):
    with pytest.raises(ValidationError):
        DomainCapConfig(**keys)
