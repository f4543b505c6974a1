import struct

import numpy as np
import pytest

from dataprep.errors import CorruptDataError
from dataprep.indexed_dataset import IndexedDataset, IndexedDatasetWriter, token_dtype


@pytest.fixture
def shard(tmp_path):
    with IndexedDatasetWriter(tmp_path / "shard.0", vocab_size=300) as writer:
        writer.add([1, 2, 299])
        writer.add_many(np.array([7, 8, 9]), np.array([1, 0, 2]))
    return tmp_path / "shard.0"


def test_the_bytes_are_those_that_megatron_writes(shard):
    assert (shard.parent / "shard.0.bin").read_bytes() == struct.pack("<6H", 1, 2, 299, 7, 8, 9)
    assert (shard.parent / "shard.0.idx").read_bytes() == (
        b"MMIDIDX\x00\x00"
        + struct.pack("<QBQQ", 1, 8, 4, 5)  # version, uint16, four sequences, five document indices
        + struct.pack("<4i", 3, 1, 0, 2)  # lengths in tokens
        + struct.pack("<4q", 0, 6, 8, 8)  # pointers in bytes
        + struct.pack("<5q", 0, 1, 2, 3, 4)  # one document is one sequence
    )


def test_documents_come_back(shard):
    dataset = IndexedDataset(shard)
    assert (dataset.num_documents, dataset.num_tokens) == (4, 6)
    assert [dataset.document(i).tolist() for i in range(4)] == [[1, 2, 299], [7], [], [8, 9]]
    assert dataset.tokens.tolist() == [1, 2, 299, 7, 8, 9]


def test_a_vocabulary_of_65500_takes_four_bytes():
    assert token_dtype(65_499) == np.uint16
    assert token_dtype(65_500) == np.int32


def test_a_large_vocabulary_comes_back(tmp_path):
    with IndexedDatasetWriter(tmp_path / "wide", vocab_size=100_000) as writer:
        writer.add([99_999])
    assert IndexedDataset(tmp_path / "wide").tokens.tolist() == [99_999]


def test_a_shard_without_documents_opens(tmp_path):
    with IndexedDatasetWriter(tmp_path / "empty", vocab_size=300):
        pass
    assert IndexedDataset(tmp_path / "empty").num_tokens == 0


def test_a_token_outside_the_vocabulary_is_refused(tmp_path):
    with IndexedDatasetWriter(tmp_path / "s", 300) as writer, pytest.raises(CorruptDataError, match="65536, expected"):
        writer.add([5, 65_536])


def test_lengths_that_do_not_add_up_are_refused(tmp_path):
    with IndexedDatasetWriter(tmp_path / "s", 300) as writer, pytest.raises(CorruptDataError, match="3, tokens are 2"):
        writer.add_many(np.array([1, 2]), np.array([3]))


def test_a_writer_that_fails_leaves_no_index(tmp_path):
    with pytest.raises(RuntimeError), IndexedDatasetWriter(tmp_path / "s", 300) as writer:
        writer.add([1])
        raise RuntimeError
    with pytest.raises(CorruptDataError, match="no such index"):
        IndexedDataset(tmp_path / "s")


def test_a_truncated_bin_is_named_with_the_arithmetic(shard):
    path = shard.parent / "shard.0.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptDataError, match="11 bytes, but its index says 6 tokens x 2 bytes = 12"):
        IndexedDataset(shard)


def test_a_missing_bin_is_named(shard):
    (shard.parent / "shard.0.bin").unlink()
    with pytest.raises(CorruptDataError, match="not there"):
        IndexedDataset(shard)


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, b"X", "not an indexed dataset"),
        (9, b"\x02", "version 2"),
        (17, b"\x07", "dtype code 7"),
        (18, b"\x09", "header says 34 [+] 9 x 12 [+] 5 x 8 = 182"),
        (34, b"\x04", "pointers are not the running sum"),
        (34 + 4 * 12, b"\x01", "not one sequence"),
    ],
)
def test_a_damaged_index_is_refused(shard, offset, value, message):
    path = shard.parent / "shard.0.idx"
    data = bytearray(path.read_bytes())
    data[offset : offset + 1] = value
    path.write_bytes(data)
    with pytest.raises(CorruptDataError, match=message):
        IndexedDataset(shard)
