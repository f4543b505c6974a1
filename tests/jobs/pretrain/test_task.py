import pytest

from jobs.pretrain.task import batch_layout
from seedbed.errors import RunFileError
from seedbed.runfile.training import TrainingConfig


def layout(tokens, micro, ranks, sequence_length=16):
    training = TrainingConfig(num_steps=1, global_batch_tokens=tokens, micro_batch_sequences=micro, learning_rate=0.1)
    return batch_layout(training, sequence_length, ranks)


def test_a_batch_is_accumulation_times_ranks_times_micro_batch():
    # 384 tokens / 16 = 24 sequences = 3 x 2 ranks x 4
    assert layout(384, 4, 2).accumulation_steps == 3


def test_a_batch_of_broken_sequences_is_refused_with_the_arithmetic():
    with pytest.raises(RunFileError, match=r"100 = 6 x 16 [+] 4.* take 96"):
        layout(100, 1, 1)


def test_a_batch_smaller_than_a_sequence_is_refused():
    with pytest.raises(RunFileError, match=r"8 = 0 x 16 [+] 8.* take 16"):
        layout(8, 1, 1)


@pytest.mark.parametrize(("micro", "ranks"), [(5, 2), (4, 4)])
def test_ranks_and_micro_batch_must_divide_it(micro, ranks):
    message = f"128 / 16 = 8 sequences, but {ranks} ranks x {micro} micro_batch_sequences = {ranks * micro} do not"
    with pytest.raises(RunFileError, match=message):
        layout(128, micro, ranks)
