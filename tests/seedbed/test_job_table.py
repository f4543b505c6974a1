"""What a table of jobs shows, and which of them it leads to."""

from dataclasses import replace

import pytest

from seedbed.job_table import JobRow, changes, next_command, worth_a_look
from seedbed.registry.records import Attempt, Job
from seedbed.registry.states import AttemptState, JobState
from seedbed.submitting import kept

JOB = Job("k", "r-1", "r", "p", "ann", "c", "/s", "b", 1, 0, priority=5, max_retries=2, summary={"steps": ["a", "b"]})


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        ({"step": "clean", "done": 3, "total": 4, "unit": "units"}, "3 of 4 units"),
        ({"step": "pretrain", "done": 1200, "total": 4000}, "1,200 of 4,000 steps"),
        ({"steps_done": ["a"]}, "1 of 2 steps of the run"),
        ({}, ""),
    ],
)
def test_progress_names_what_it_counts(progress, shown):
    attempt = Attempt(1, 1, "s", AttemptState.RUNNING, 0.0, progress=progress)
    assert JobRow(replace(JOB, state=JobState.RUNNING), attempt).progress == shown


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        (["queued", "running", "failed"], 2),
        (["finished", "failed", "queued"], 2),
        (["failed", "finished", "lost"], 3),
        (["finished", "queued"], 2),
        (["stopped", "finished"], 2),
    ],
)
def test_a_table_leads_to_who_runs_or_needs_somebody(states, chosen):
    """Jobs 1, 2 .. in these states; the table has the newest first."""
    jobs = [replace(JOB, id=number, state=JobState(state)) for number, state in enumerate(states, 1)]
    job = worth_a_look([JobRow(job, None) for job in reversed(jobs)]).job
    assert job.id == chosen
    assert not next_command(job).startswith("seedbed jobs")  # it was typed just now


def test_what_a_job_keeps_of_its_first_submission():
    assert kept(JOB, priority=0, max_retries=3, after=None) == ["priority 5", "retries 2"]
    assert kept(JOB, priority=5, max_retries=2, after=None) == []
    assert kept(replace(JOB, after=4), priority=5, max_retries=2, after=None) == ["after job 4"]
    assert kept(JOB, priority=5, max_retries=2, after=9) == ["after no other job"]


NOW = 10_000.0


@pytest.mark.parametrize(
    ("state", "heard_at", "why"),
    [
        ("running", NOW - 20.0, "its driver reports"),
        ("running", NOW - 7_500.0, "its driver reports; heard 2 h 05 min ago"),
        ("stopping", NOW - 95.0, "its driver reports; heard 1 min 35 s ago"),
        ("queued", NOW - 95.0, "its driver reports"),  # it says why it waits
        ("running", None, "its driver reports"),
    ],
)
def test_of_a_driver_that_is_not_heard_the_table_says_since_when(state, heard_at, why):
    attempt = Attempt(1, 1, "s", AttemptState.RUNNING, 0.0, heard_at=heard_at)
    assert JobRow(replace(JOB, state=JobState(state), reason="its driver reports"), attempt).why(NOW) == why


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("queued", "waits until c is up"),
        ("running", "waits until c is up: how it ended is not known yet"),
        ("stopped", "ben stopped it"),
    ],
)
def test_a_job_whose_cluster_is_down_waits_for_it_and_nothing_else(state, why):
    job = replace(JOB, id=3, state=JobState(state), reason="ben stopped it")
    assert JobRow(job, None, is_cluster_down=True).why(NOW) == why
    then = next_command(job, is_cluster_down=True)
    assert then == ("seedbed resume 3" if state == "stopped" else "seedbed cluster up; to take it back: seedbed stop 3")


def test_each_command_of_what_is_next_is_written_as_it_can_be_typed():
    running = replace(JOB, id=1, state=JobState.RUNNING)
    said = next_command(running, written=lambda command: f"bin/{command}")
    assert said == "bin/seedbed logs -f 1; to stop it at a checkpoint: bin/seedbed stop 1"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([], ""),
        (["training.learning_rate=1e-3"], "learning_rate=1e-3"),
        (["name=a", "model.width=64", "training.num_steps=40"], "name=a, width=64, num_steps=40"),
        (["data.sources.docs.path=" + "x" * 60, "name=a"], "path=" + "x" * 60 + " and 1 more"),
        (["training.global_batch_tokens=1536", "training.validation_tokens=512", "name=a", "name=b"],
         "global_batch_tokens=1536, validation_tokens=512 and 2 more"),
    ],
)  # fmt: skip
def test_what_was_set_is_shown_in_short(given, shown):
    assert changes(replace(JOB, summary={"set": given})) == shown
    assert changes(JOB) == ""  # of an older Seedbed
