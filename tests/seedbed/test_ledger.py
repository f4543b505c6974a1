import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.document_id import file_prefix, pack
from dataprep.schemas import LEDGER
from seedbed.artifact import Artifact, write_table
from seedbed.ledger import (
    URLS,
    find_url,
    ledger_of_shard,
    partition_bound,
    partition_of,
    url_hash,
    url_rows,
)
from seedbed.store import Store

A, B = file_prefix("docs", "a.warc.gz"), file_prefix("docs", "b.jsonl")
STEPS = ("extract", "select", "deduplicate", "corpus")


def told(pipeline, shard, *kinds):
    """Of each row the record's number and what is said of it, up to the last value."""
    table = ledger_of_shard({kind: pipeline.artifacts[kind] for kind in kinds}, shard)
    assert table.schema == LEDGER
    rows = [tuple(row.values()) for row in table.to_pylist()]
    return [(int.from_bytes(row[0][11:], "big"), *row[1:]) for row in rows]


def test_every_record_of_a_shard_has_one_row(pipeline):
    assert told(pipeline, "00000", *STEPS) == [
        (
            0,
            "https://x.example/gone",
            "dropped",
            "extract",
            "http_status_not_200",
            404.0,
            200.0,
            None,
            None,
            None,
        ),
        (1, "https://x.example/one", "kept", "corpus", None, None, None, None, "train", None),
        (2, "https://x.example/short", "dropped", "select", "too_few_words", 2.0, 3.0, None, None, None),
        (
            3,
            "https://x.example/bomb",
            "quarantined",
            "extract",
            "extraction_crashed",
            None,
            None,
            None,
            None,
            "ended by signal 11",
        ),
    ]
    assert told(pipeline, "00001", *STEPS) == [
        (0, "https://x.example/copy", "dropped", "deduplicate", "near_duplicate", 0.9, 0.8, pack(A, 1), None, None),
        (1, None, "kept", "corpus", None, None, None, None, "validation", None),
        (2, "https://x.example/one", "dropped", "extract", "not_a_response", None, None, None, None, "request"),
    ]


@pytest.mark.parametrize(
    ("kinds", "outcomes"),
    [
        (STEPS[:1], [("kept", "extract"), ("kept", "extract")]),
        (STEPS[:2], [("kept", "select"), ("dropped", "select")]),
        (STEPS[:3], [("kept", "deduplicate"), ("dropped", "select")]),
    ],
)
def test_a_run_on_its_way_has_a_ledger_as_far_as_it_got(pipeline, kinds, outcomes):
    rows = told(pipeline, "00000", *kinds)
    assert [row[2:4] for row in rows] == [
        ("dropped", "extract"),
        outcomes[0],
        outcomes[1],
        ("quarantined", "extract"),
    ]
    assert [row[8] for row in rows] == [None] * 4


@given(st.integers(1, 5000), st.data())
def test_the_bounds_cut_the_hashes_into_the_partitions(num_partitions, data):
    hash_ = data.draw(st.integers(0, 2**64 - 1))
    partition = partition_of(hash_, num_partitions)
    assert 0 <= partition < num_partitions
    assert partition_bound(partition, num_partitions) <= hash_ < partition_bound(partition + 1, num_partitions)
    bound = partition_bound(data.draw(st.integers(1, num_partitions)) - 1, num_partitions)
    assert partition_bound(partition_of(bound, num_partitions), num_partitions) == bound


urls = st.lists(st.one_of(st.none(), st.sampled_from([f"https://x.example/{n}" for n in range(9)])), max_size=30)


@given(urls, st.integers(1, 7))
def test_url_rows_are_in_the_order_of_hashes_and_counted_by_partition(found, num_partitions):
    ids = [pack(A, number) for number in range(len(found))]
    ledger = pa.table({"id": pa.array(ids, pa.binary(16)), "url": pa.array(found, pa.string())})
    rows, sizes = url_rows(ledger, num_partitions)
    assert rows.schema == URLS
    pairs = list(zip(rows["url_hash"].to_pylist(), rows["document"].to_pylist(), strict=True))
    # In the order of the hash, and those of one URL in the order of their ids.
    assert pairs == sorted((url_hash(url), id_) for url, id_ in zip(found, ids, strict=True) if url is not None)
    partitions = [partition_of(hash_, num_partitions) for hash_, _ in pairs]
    assert sizes == [partitions.count(partition) for partition in range(num_partitions)]


@pytest.mark.parametrize("num_partitions", [1, 2, 5])
def test_a_url_leads_to_the_ids_of_all_its_records(pipeline, num_partitions):
    pipeline.write_ledger(num_partitions)
    ledger = pipeline.artifacts["ledger"]

    def found(url):
        return find_url(ledger, url, num_partitions)

    assert found("https://x.example/one") == sorted([pack(A, 1), pack(B, 2)])
    assert found("https://x.example/bomb") == [pack(A, 3)]
    assert found("https://x.example/") == []
    assert found("") == []


def test_a_url_is_found_in_a_part_of_many_row_groups(tmp_path):
    # Row groups hold 1,024 rows: the URL that stands 1,500 times lies in two or three of them.
    many = [f"https://x.example/{number}" for number in range(3000)] + ["https://x.example/often"] * 1500
    ids = [pack(A, number) for number in range(len(many))]
    rows, _ = url_rows(pa.table({"id": pa.array(ids, pa.binary(16)), "url": many}), 1)
    ledger = Artifact(Store(str(tmp_path)), "ledger", "1")
    write_table(ledger, "urls", "00000", rows)
    assert find_url(ledger, "https://x.example/often", 1) == ids[3000:]
    for number in range(0, 3000, 100):
        assert find_url(ledger, f"https://x.example/{number}", 1) == [ids[number]]
