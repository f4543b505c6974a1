import pyarrow as pa

from dataprep.kernels.text_buffers import batches, column, list_buffers, text_buffers


def test_a_slice_keeps_the_bytes_and_moves_the_offsets():
    data, offsets = text_buffers(pa.array(["ab", "cde", "f"], pa.large_string()).slice(1))
    assert bytes(data) == b"abcdef"
    assert offsets.tolist() == [2, 5, 6]


def test_every_buffer_is_read_only():
    text = pa.array(["ab"], pa.large_string())
    lists = pa.array([[1, 2]], pa.list_(pa.int64()))
    for array in (*text_buffers(text), *text_buffers(text[:0]), *list_buffers(lists), *list_buffers(lists[:0])):
        assert not array.flags.writeable


def test_texts_without_bytes_have_offsets():
    assert text_buffers(pa.array(["", ""], pa.large_string()))[1].tolist() == [0, 0, 0]
    assert text_buffers(pa.array([], pa.large_string()))[1].tolist() == [0]


def test_batches_hold_at_most_the_limit_or_one_document():
    text = pa.array(["aa", "bb", "ccccccc", "", "d"], pa.large_string())
    assert list(batches(text, 4)) == [(0, 2), (2, 3), (3, 5)]
    assert list(batches(text.slice(1), 100)) == [(0, 4)]
    assert list(batches(text[:0], 4)) == []


def test_a_column_in_chunks_becomes_one_array():
    table = pa.table({"x": pa.chunked_array([[1], [2, 3]])})
    assert column(table, "x").to_pylist() == [1, 2, 3]
    assert column(table[:0], "x").to_pylist() == []
