import io
import itertools

import pyarrow as pa
import pytest

from dataprep.errors import CorruptDataError
from dataprep.schemas import ID
from seedbed.pieces import PieceFile, pack

SCHEMA = pa.schema(
    [pa.field("id", ID, nullable=False), pa.field("text", pa.large_string()), pa.field("tokens", pa.list_(pa.int32()))]
)


def rows(start: int, stop: int) -> pa.Table:
    ids = [number.to_bytes(16) for number in range(start, stop)]
    texts = [None if number % 7 == 0 else f"text {number} é" * (number % 5) for number in range(start, stop)]
    return pa.table([ids, texts, [list(range(number % 4)) for number in range(start, stop)]], schema=SCHEMA)


@pytest.mark.parametrize("sizes", [[], [0], [5], [0, 3, 0, 0, 2, 0], [1] * 300, [1000, 0, 1]])
def test_each_piece_is_what_was_written_and_all_are_the_whole(sizes):
    """Of 300 pieces the last ones' entries lie behind what is read at first."""
    ends = [0, *itertools.accumulate(sizes)]
    file = PieceFile(io.BytesIO(pack(SCHEMA, (rows(a, b) for a, b in itertools.pairwise(ends)))))
    assert (file.num_pieces, file.schema) == (len(sizes), SCHEMA)
    for number, (start, stop) in reversed(list(enumerate(itertools.pairwise(ends)))):
        assert file.read(number) == rows(start, stop)
    for first, stop in ((0, len(sizes)), (len(sizes) // 3, len(sizes) // 2), (len(sizes), len(sizes))):
        found = list(file.some(first, stop))
        assert found == [rows(*of) for of in list(itertools.pairwise(ends))[first:stop]]
    assert file.whole() == rows(0, ends[-1]) and file.whole().schema == SCHEMA


def test_a_slice_is_written_without_what_lies_around_it():
    whole, alone = rows(0, 1000), rows(500, 510)
    assert pack(SCHEMA, [whole.slice(500, 10)]) == pack(SCHEMA, [alone])


def test_chunks_are_no_part_of_what_is_written():
    cut = pa.concat_tables([rows(0, 3), rows(3, 10)])
    assert pack(SCHEMA, [cut]) == pack(SCHEMA, [rows(0, 10)])


def test_a_schema_that_is_longer_than_what_is_read_at_first():
    schema = pa.schema([pa.field(f"a column with a long name, number {n}", pa.int64()) for n in range(200)])
    table = pa.table([[n] for n in range(200)], schema=schema)
    file = PieceFile(io.BytesIO(pack(schema, [table.slice(0, 0), table])))
    assert file.read(1) == table and file.read(0) == schema.empty_table()


def test_a_reader_asks_for_the_head_and_the_piece_alone():
    data, asked = pack(SCHEMA, [rows(n * 100, n * 100 + 100) for n in range(50)]), []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            asked.append((self.tell(), size))
            return super().read(size)

    PieceFile(Watched(data)).read(31)
    assert len(asked) == 2 and asked[0] == (0, 4096) and asked[1][1] < len(data) / 40


def test_a_file_that_is_cut_or_changed_anywhere_is_never_taken_for_another():
    """Each byte is flipped, and each end is cut off: what is read is what was written, or an error."""
    written = [rows(0, 4), rows(4, 4), rows(4, 9)]
    data = pack(SCHEMA, written)
    damaged = [data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :] for at in range(len(data))]
    damaged += [data[:at] for at in range(len(data))]
    errors = 0
    for bad in damaged:
        try:
            file = PieceFile(io.BytesIO(bad))
            found = list(file.some(0, 3))
        except CorruptDataError:
            errors += 1
        else:
            assert found == written
    assert errors > len(damaged) * 0.9


def test_a_piece_that_is_not_there_is_asked_for():
    file = PieceFile(io.BytesIO(pack(SCHEMA, [rows(0, 1)])))
    for number in (-1, 1):
        with pytest.raises(CorruptDataError, match=f"pieces {number} to {number} are asked for, but it has 1"):
            file.read(number)


def test_a_piece_of_other_columns_is_refused():
    with pytest.raises(ValueError, match="a piece has the columns"):
        pack(SCHEMA, [rows(0, 1).drop_columns("text")])
