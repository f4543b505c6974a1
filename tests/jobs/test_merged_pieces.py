from hypothesis import given
from hypothesis import strategies as st

from jobs.merged_pieces import Merging

SIZES = st.integers(1, 300)


@given(SIZES, SIZES, st.integers(0, 10**6), st.integers(1, 10**5))
def test_every_piece_of_every_file_is_put_together_once(num_files, num_pieces, num_bytes, unit_bytes):
    merging = Merging.of(num_files, num_pieces, num_bytes, unit_bytes)
    assert Merging.from_json(merging.to_json()) == merging
    seen = {}
    for name, told in merging.units.items():
        for number, piece in enumerate(range(*told["pieces"])):
            seen[name, number] = (piece, range(*told["files"]))
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
    largest = max((b[1] - b[0]) * (p[1] - p[0]) for b, p in (tuple(u.values()) for u in merging.units.values()))
    assert 383e9 * largest / (2000 * 2990) < 1.2 * (256 << 20)
