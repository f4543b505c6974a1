"""What is compared for a run."""

import pytest

from jobs.pretrain.conform.certificate import trial_of
from seedbed.layout import batch_layout
from seedbed.runfile.run import RunConfig

pytestmark = pytest.mark.slow  # importing torch takes seconds


def run(stages, ranks, micro, sequences):
    return RunConfig.model_validate(
        {
            "name": "tried",
            "data": {"sources": {"docs": {"path": "docs"}}, "tokenizer": {"vocab_size": 512}},
            "model": {"num_layers": 4, "width": 32, "num_heads": 2, "sequence_length": 64, "vocab_size": 512},
            "training": {
                "num_steps": 1,
                "global_batch_tokens": sequences * 64,
                "micro_batch_sequences": micro,
                "pipeline_stages": stages,
                "learning_rate": 0.1,
            },
            "cluster": {"training_ranks": ranks},
        }
    )


@pytest.mark.parametrize(
    ("stages", "ranks", "micro", "sequences", "accumulation", "padding"),
    [
        (2, 2, 1, 2, 2, 0),  # one data rank that takes a row at a time: a row less would be no accumulation
        (1, 2, 1, 8, 4, 1),
        (1, 2, 4, 8, 1, 1),
        (2, 4, 2, 64, 4, 1),  # of 16 steps of accumulation 4 are tried
    ],
)
def test_a_smaller_batch_accumulates_as_the_run_does(stages, ranks, micro, sequences, accumulation, padding):
    for case in trial_of(run(stages, ranks, micro, sequences), full=False).cases:
        found = batch_layout(case.training, case.model.sequence_length, ranks)
        assert (found.accumulation_steps, found.padding_sequences) == (accumulation, padding)
