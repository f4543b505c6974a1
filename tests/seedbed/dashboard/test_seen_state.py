from dataclasses import replace

import pytest

from seedbed.dashboard.seen_state import seen_state
from seedbed.dashboard.watch import LOST_AFTER_S, Place
from seedbed.registry.records import Job, Run
from seedbed.registry.states import JobState

NOW = 1_000_000.0
RUN = Run("tiny-01", "/store", "tiny", NOW - 3600, "running", seen_at=NOW - 600)
JOB = Job(
    key="k", run_id="tiny-01", name="tiny", project="", owner="me", cluster="local", store_url="/store", bundle="b",
    cpus=1, gpus=0, id=3, state=JobState.RUNNING, state_since=NOW - 600,
)  # fmt: skip


def beat(age_s, every_s=5.0):
    return {"at": NOW - age_s, "every_s": every_s}


@pytest.mark.parametrize(
    ("state", "heartbeat", "lost_since", "expected", "tone"),
    [
        ("running", beat(4), None, "running", "live"),
        ("running", beat(29), None, "running", "live"),
        ("running", beat(31), None, "silent", "warn"),
        ("running", beat(45, every_s=15.0), None, "running", "live"),  # 4 x 15 s may be missed
        ("running", None, None, "silent", "warn"),  # seen 600 s ago, and never heard
        ("running", beat(4), NOW - 20, "unreachable", "warn"),
        ("finished", beat(9999), NOW - 20, "finished", "good"),  # what has ended stays so
        ("failed", None, None, "failed", "bad"),
        ("interrupted", beat(9999), None, "interrupted", "warn"),
        ("gone", None, None, "gone", "idle"),
    ],
)
def test_a_run_is_called_running_only_while_it_is_heard(state, heartbeat, lost_since, expected, tone):
    seen = seen_state(replace(RUN, state=state), None, heartbeat, NOW, lost_since)
    assert (seen.state, seen.tone) == (expected, tone)


def test_a_driver_has_a_minute_for_its_first_word():
    seen = seen_state(replace(RUN, seen_at=NOW - 59), None, None, NOW, None)
    assert seen.state == "running"


@pytest.mark.parametrize(
    ("job_state", "run", "expected"),
    [
        (JobState.QUEUED, None, "queued"),
        (JobState.STARTING, None, "starting"),
        (JobState.RUNNING, RUN, "running"),
        (JobState.STOPPING, RUN, "stopping"),
        (JobState.LOST, RUN, "lost"),  # whatever the store still says
        (JobState.FAILED, replace(RUN, state="finished"), "finished"),  # by a later `seedbed run`
        (JobState.STOPPED, replace(RUN, state="planned"), "stopped"),  # in the queue: no driver ever wrote
    ],
)
def test_a_job_that_is_not_over_says_more_than_the_run(job_state, run, expected):
    assert seen_state(run, replace(JOB, state=job_state), beat(2), NOW, None).state == expected


def test_a_place_that_hangs_at_its_first_look_is_out_of_reach_in_the_end():
    place = Place("store", asked_since=1000.0)
    assert place.out_of_reach_since(1000.0 + LOST_AFTER_S - 1) is None
    assert place.out_of_reach_since(1000.0 + LOST_AFTER_S) == 0.0
    heard = replace(place, heard_at=1010.0)
    assert heard.out_of_reach_since(1010.0 + LOST_AFTER_S - 1) is None
    assert heard.out_of_reach_since(1010.0 + LOST_AFTER_S) == 1010.0
    assert replace(heard, fault="no").out_of_reach_since(1011.0) == 1010.0
