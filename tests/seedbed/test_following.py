"""Why nothing is shown of what a rank prints."""

import pytest

from seedbed.following import why_empty
from seedbed.registry.records import Attempt, Job
from seedbed.registry.states import AttemptState, JobState


@pytest.mark.parametrize(
    ("summary", "progress", "rank", "said"),
    [
        ({"training_ranks": 2}, {}, None, "the driver has printed nothing in attempt 1"),
        ({"training_ranks": 2}, {"training": {}}, 7, "job 3 has no rank 7: its ranks are 0 to 1"),
        ({"training_ranks": 1}, {"training": {}}, 1, "job 3 has no rank 1: its only one is rank 0"),
        ({"training_ranks": 2}, {"step": "clean"}, 0, "the training has not begun in attempt 1: it is at clean"),
        ({}, {}, 0, "the training has not begun in attempt 1"),  # of an older Seedbed, and not heard yet
        ({"cached": ["pretrain"]}, {}, 0, "no rank was started in attempt 1: the training was done before"),
        ({"training_ranks": 2}, {"training": {}}, 1, "rank 1 has printed nothing in attempt 1"),
        ({"training_ranks": 2}, {"steps_done": ["pretrain"]}, 1, "rank 1 has printed nothing in attempt 1"),
    ],
)
def test_why_nothing_is_there(summary, progress, rank, said):
    job = Job("k", "r-1", "r", "p", "ann", "c", "/s", "b", 1, 0, summary=summary, id=3, state=JobState.RUNNING)
    attempt = Attempt(3, 1, "s", AttemptState.RUNNING, 0.0, progress=progress)
    assert why_empty(job, attempt, rank) == said
