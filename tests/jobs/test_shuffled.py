from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.shuffled import Merging, is_merged

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
    assert not is_merged(99, 101, 0)
    assert is_merged(100, 100, 10_000 * 8192)
    assert not is_merged(100, 100, 10_000 * 8192 + 1)
    assert is_merged(1000, 1000, 10**15)
