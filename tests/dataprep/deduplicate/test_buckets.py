import numpy as np
import pyarrow as pa
import pytest

from dataprep import schemas
from dataprep.deduplicate.buckets import BAND_ROWS, band_rows
from dataprep.errors import CorruptDataError


def survivors(*rows: tuple[int, int, list[int]], num_words: int = 1) -> pa.Table:
    """Survivors of (id, high half of the content hash, band hashes)."""
    columns = {
        "id": pa.array([number.to_bytes(16, "big") for number, _, _ in rows], schemas.ID),
        "content_hash": pa.array([content.to_bytes(8, "big") + bytes(8) for _, content, _ in rows], schemas.ID),
        "num_words": pa.array([num_words] * len(rows), pa.int64()),
        "minhash_bands": pa.array([bands for _, _, bands in rows], pa.list_(pa.uint64(), 2)),
    }
    return pa.table(columns)


def test_every_band_and_the_content_give_a_row_in_the_partition_of_its_key():
    quarter = 1 << 62
    table, num_rows = band_rows(survivors((7, 3 * quarter, [0, quarter]), (5, 3 * quarter, [2 * quarter, 1])), 4)
    assert table.schema == BAND_ROWS
    assert [(r["partition"], r["key"], r["id"][-1]) for r in table.to_pylist()] == [
        (0, 0, 7),
        (0, 1, 5),
        (1, quarter, 7),
        (2, 2 * quarter, 5),
        (3, 3 * quarter, 5),  # one content: one key, the ids ascend
        (3, 3 * quarter, 7),
    ]
    assert num_rows == [2, 1, 1, 2]


def test_the_last_key_is_in_the_last_partition():
    table, num_rows = band_rows(survivors((1, 2**64 - 1, [2**64 - 1, 2**64 - 1])), 3)
    assert num_rows == [0, 0, 3]
    assert table["partition"].to_pylist() == [2, 2, 2]


def test_a_slice_gives_the_rows_of_the_slice():
    rows = [(number, 9, [number, 9]) for number in range(1, 5)]
    whole = pa.concat_tables([survivors(*rows[:3]), survivors(*rows[3:])])
    assert band_rows(whole[1:4], 5)[0].equals(band_rows(survivors(*rows[1:4]), 5)[0])


def test_no_survivors_have_no_rows():
    table, num_rows = band_rows(survivors(), 3)
    assert table.equals(BAND_ROWS.empty_table())
    assert num_rows == [0, 0, 0]


def test_a_document_without_words_is_refused():
    with pytest.raises(CorruptDataError, match=r"document 0{31}1 has no words"):
        band_rows(survivors((1, 2, [3, 4]), num_words=0), 2)


def test_partitions_are_ranges_that_cover_all_keys():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2**64, (500, 2), dtype=np.uint64)
    table, num_rows = band_rows(survivors(*[(i, int(k[0]), k.tolist()) for i, k in enumerate(keys)]), 7)
    assert sum(num_rows) == table.num_rows == 1500
    assert min(num_rows) > 150  # 1500 / 7 = 214 each
    found, partitions = table["key"].to_numpy(), table["partition"].to_numpy()
    assert (np.diff(partitions) >= 0).all()
    assert partitions.tolist() == [int(key) * 7 >> 64 for key in found]
