from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.deduplicate.buckets import BAND_ROWS
from dataprep.schemas import ID
from jobs import shuffled
from jobs.shuffled import Merging, merging_of, row_bytes

SIZES = st.integers(1, 80)


@settings(deadline=None)
@given(SIZES, SIZES, st.integers(0, 10**6), st.integers(1, 10**5))
def test_every_piece_of_every_file_is_put_together_once(num_files, num_pieces, num_bytes, unit_bytes):
    merging = Merging.of(num_files, num_pieces, num_bytes, unit_bytes)
    seen = {}
    for name in merging.units:
        files, pieces = merging.of_unit(name)
        for number, piece in enumerate(range(pieces.start, pieces.stop)):
            seen[name, number] = (piece, range(files.start, files.stop))
    assert len(merging.units) <= 4 * max(1, num_bytes / unit_bytes) + num_pieces  # and none of more than it should
    for piece in range(num_pieces):
        names, number = merging.place(piece)
        found = [seen[name, number] for name in names]
        assert {of for of, _ in found} == {piece}
        assert [file for _, files in found for file in files] == list(range(num_files))


def test_a_terabyte_is_read_thirty_times_less_often():
    """2,000 shards and 2,990 partitions, 383 GB of text in pairs: 6 million pieces."""
    merging = Merging.of(2000, 2990, 383 * 10**9, 256 << 20)
    groups, ranges = len(merging.files) - 1, len(merging.pieces) - 1
    assert 2000 * ranges + 2990 * groups < 200_000
    cuts = [merging.of_unit(unit) for unit in merging.units]
    largest = max((files.stop - files.start) * (pieces.stop - pieces.start) for files, pieces in cuts)
    assert 383e9 * largest / (2000 * 2990) < 1.2 * (256 << 20)


def test_tables_of_very_many_pieces_are_merged_and_of_many_those_with_small_ones():
    assert merging_of(99, 101, 0) is None
    assert merging_of(100, 100, 10_000 * 8192) is not None
    assert merging_of(100, 100, 10_000 * 8192 + 1) is None
    assert merging_of(1000, 1000, 10**12) is not None


@pytest.mark.parametrize(("num_files", "num_pieces"), [(1, 10**6), (10**6, 1)])
def test_where_there_are_no_reads_to_save_nothing_is_merged(num_files, num_pieces):
    assert merging_of(num_files, num_pieces, 0) is None


@pytest.mark.parametrize(("num_files", "num_pieces"), [(20_000, 60), (200_000, 300_000), (15_216, 200_000)])
def test_no_unit_has_too_many_files_or_pieces_however_few_rows_there_are(num_files, num_pieces):
    merging = Merging.of(num_files, num_pieces, 0, 256 << 20)
    files = max(b - a for a, b in pairwise(merging.files))
    pieces = max(b - a for a, b in pairwise(merging.pieces))
    assert files <= shuffled.UNIT_FILES
    assert files * pieces <= 1.5 * shuffled.UNIT_PIECES


def test_the_width_of_a_row_is_that_of_its_columns():
    assert row_bytes(BAND_ROWS) == 28
    assert row_bytes(pa.schema([("id", ID), ("n", pa.float64()), ("says", pa.string())])) == 16 + 8 + 16
