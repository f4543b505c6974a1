import numpy as np
import pyarrow as pa

from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.deduplicate.earlier import LIKE_EARLIER, OLD_OF_BUCKET, lost_to_earlier, proposed
from dataprep.schemas import ID


def ids(*numbers: int) -> pa.Array:
    return pa.array([number.to_bytes(16, "big") for number in numbers], ID)


def bands(*rows: tuple[int, int]) -> pa.Table:
    """`BAND_ROWS` of (key, id)."""
    keys = pa.array([key for key, _ in rows], pa.uint64())
    columns = [pa.array([0] * len(rows), pa.int32()), keys, ids(*(number for _, number in rows))]
    return pa.Table.from_arrays(columns, schema=BAND_ROWS)


def numbers(column: pa.ChunkedArray) -> list[int]:
    return [int.from_bytes(packed, "big") for packed in column.to_pylist()]


def test_each_pair_of_a_new_and_an_old_document_in_one_bucket_is_proposed_once():
    pairs = proposed(bands((7, 1), (8, 1), (9, 2), (5, 3)), bands((8, 40), (7, 40), (7, 30), (9, 2), (6, 50)))
    assert list(zip(numbers(pairs["id"]), numbers(pairs["old"]), strict=True)) == [(1, 30), (1, 40), (2, 2)]


def test_of_a_large_bucket_the_old_documents_with_the_smallest_ids_are_proposed():
    pairs = proposed(bands((7, 1)), bands(*((7, number) for number in range(100, 50, -1))))
    assert numbers(pairs["old"]) == list(range(51, 51 + OLD_OF_BUCKET))


def test_nothing_is_proposed_without_old_documents():
    assert proposed(bands((7, 1)), bands()).num_rows == 0


def test_a_new_document_loses_once_and_the_reason_tells_of_the_old_one():
    alike = pa.Table.from_arrays(
        [
            ids(1, 1, 1, 2, 3, 4),
            ids(11, 12, 13, 12, 11, 13),
            pa.array([0.9, 1.0, 0.85, 0.95, 1.0, 0.8]),
            pa.array([False, True, False, False, True, False]),
            pa.array([False, False, True, False, False, True]),  # 13 is held out
            pa.array([0, 1, 1, 1, 0, 1], pa.int32()),
        ],
        schema=LIKE_EARLIER,
    )
    facts = pa.table({"id": ids(1, 2, 3, 4), "num_bytes": pa.array([10, 20, 30, 40], pa.int64())})
    lost = lost_to_earlier(alike, facts, np.array([False, False, False, True]), 0.8)
    assert numbers(lost["id"]) == [1, 2, 3, 4]
    assert lost["reason"].to_pylist() == [
        "near_duplicate_of_heldout",
        "near_duplicate",
        "exact_duplicate",
        "near_duplicate",  # both are held out
    ]
    assert numbers(lost["duplicate_of"]) == [13, 12, 11, 13]
    assert lost["value"].to_pylist() == [0.85, 0.95, 1.0, 0.8]
    assert lost["num_bytes"].to_pylist() == [10, 20, 30, 40]
    assert lost["corpus"].to_pylist() == [1, 1, 0, 1]
