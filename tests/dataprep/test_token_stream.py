import numpy as np
import pytest

from dataprep.errors import CorruptDataError
from dataprep.indexed_dataset import IndexedDatasetWriter
from dataprep.token_stream import TokenStream


def write_shards(folder, *shards):
    for number, tokens in enumerate(shards):
        with IndexedDatasetWriter(folder / f"shard-{number}", vocab_size=300) as writer:
            writer.add(tokens)
    return [folder / f"shard-{number}" for number in range(len(shards))]


def test_samples_run_across_shards_and_share_one_token(tmp_path):
    stream = TokenStream(write_shards(tmp_path, [0, 1, 2], [], [3], [4, 5, 6, 7, 8, 9]))
    # (10 - 1) // 3 = 3 samples of 3 tokens and the next one
    assert stream.num_samples(3) == 3
    assert stream.samples(np.array([0, 2, 1]), 3).tolist() == [[0, 1, 2, 3], [6, 7, 8, 9], [3, 4, 5, 6]]


def test_the_last_target_is_needed(tmp_path):
    paths = write_shards(tmp_path, range(9))
    assert TokenStream(paths).num_samples(3) == 2  # a third one would need token 9


def test_any_stretch_is_the_concatenation_of_the_shards(tmp_path):
    stream = TokenStream(write_shards(tmp_path, [0, 1], [2, 3, 4], [5]))
    for start in range(6):
        for end in range(start, 7):
            assert stream.read(start, end - start).tolist() == list(range(start, end))


def test_reading_past_the_end_is_refused(tmp_path):
    with pytest.raises(IndexError, match="2 to 5 of a stream of 4"):
        TokenStream(write_shards(tmp_path, [0, 1, 2, 3])).read(2, 3)


def test_shards_without_a_token_are_refused(tmp_path):
    with pytest.raises(CorruptDataError, match="hold no token"):
        TokenStream(write_shards(tmp_path, [], []))
