import struct
from pathlib import Path

import numpy as np
import pytest

from dataprep.errors import CorruptDataError
from dataprep.fasttext_model import build_tree, read_model
from dataprep.language import model_file

WHOLE = model_file().read_bytes()
NUM_ENTRIES_AT = 64  # behind two integers, twelve arguments, one double
BUCKETS_AT = 8 + 4 * 8  # the number of buckets


def read(tmp_path: Path, data: bytes):
    path = tmp_path / "model.ftz"
    path.write_bytes(data)
    return read_model(path)


def test_the_model_of_the_wheel_is_read_whole():
    model = read_model(model_file())
    assert (len(model.words), model.words[:3]) == (7235, [b"</s>", b"de", b"in"])
    assert (len(model.labels), model.labels[:3]) == (176, ["en", "ru", "de"])
    assert (model.min_ngram, model.max_ngram) == (2, 4)
    assert len(model.row_of_bucket) == 2_000_000
    kept = np.sort(model.row_of_bucket[model.row_of_bucket >= 0])
    assert kept.tolist() == list(range(7235, 50_000))  # each row behind the words' belongs to one bucket
    assert (model.rows.shape, model.rows.dtype) == ((50_000, 16), np.float32)
    assert (model.output.shape, model.output.dtype) == ((175, 16), np.float32)


def test_the_tree_joins_the_two_lightest_first():
    # Leaves 0 to 3 weigh 8, 4, 2, 1. Node 4 = 3 + 2 weighs 3, node 5 = 4 + 1 weighs 7, node 6 = 5 + 0.
    left, right = build_tree([8, 4, 2, 1])
    assert left.tolist() == [-1, -1, -1, -1, 3, 4, 5]
    assert right.tolist() == [-1, -1, -1, -1, 2, 1, 0]


def test_among_equals_the_tree_takes_the_node_before_the_leaf():
    # Node 3 = 2 + 1 weighs 2, as leaf 0 does: fastText takes a leaf only where it is lighter.
    left, right = build_tree([2, 1, 1])
    assert (left.tolist(), right.tolist()) == ([-1, -1, -1, 2, 3], [-1, -1, -1, 1, 0])


def test_one_label_is_a_tree_of_its_own():
    assert [part.tolist() for part in build_tree([5])] == [[-1], [-1]]


@pytest.mark.parametrize("length", [0, 7, 60, 70, 1000, 500_000, len(WHOLE) - 1])
def test_a_cut_file_is_told(tmp_path, length):
    with pytest.raises(CorruptDataError, match=rf"model.ftz ends after {length} bytes"):
        read(tmp_path, WHOLE[:length])


def test_a_file_that_goes_on_is_told(tmp_path):
    with pytest.raises(CorruptDataError, match="3 bytes more than the model has"):
        read(tmp_path, WHOLE + b"abc")


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (0, 1, r"the first eight bytes: found \(1, 12\), expected \(793712314, 12\)"),
        (4, 13, r"found \(793712314, 13\)"),
        (8 + 4 * 5, 2, r"model, loss and word n-grams: found \(3, 1, 2\), expected \(3, 1, 1\)"),
        (8 + 4 * 6, 3, r"found \(3, 3, 1\)"),
        (8, 15, "the shape of the input"),
    ],
)
def test_another_kind_of_model_is_told(tmp_path, place, value, says):
    with pytest.raises(CorruptDataError, match=says):
        read(tmp_path, WHOLE[:place] + struct.pack("<i", value) + WHOLE[place + 4 :])


def test_counts_that_do_not_fit_are_told(tmp_path):
    def with_integer(place: int, value: int) -> bytes:
        return WHOLE[:place] + struct.pack("<i", value) + WHOLE[place + 4 :]

    with pytest.raises(CorruptDataError, match="the entries of the dictionary: found 7412, expected 7411"):
        read(tmp_path, with_integer(NUM_ENTRIES_AT, 7412))
    with pytest.raises(CorruptDataError, match="in range: found False"):
        read(tmp_path, with_integer(BUCKETS_AT, 42_764))
