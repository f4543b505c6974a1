import pytest

from seedbed.controller.judge import Verdict
from seedbed.controller.retries import FRESH_FROM, what_follows
from seedbed.failures import RETRY_RULES, FailureClass
from seedbed.registry.states import JOB_TRANSITIONS, Desired, JobState

NOW = 1000.0


def failed(failure: FailureClass, state: JobState = JobState.FAILED) -> Verdict:
    return Verdict(state, "so it was", failure, 1)


@pytest.mark.parametrize("state", [JobState.FINISHED, JobState.STOPPED])
def test_what_did_not_fail_is_over(make_job, state):
    then = what_follows(make_job(1), Verdict(state, "done"), [], NOW)
    assert (then.state, then.reason, then.not_before) == (state, "done", None)


@pytest.mark.parametrize("failure", [FailureClass.USER_ERROR, FailureClass.DATA, FailureClass.BUDGET])
def test_what_would_fail_again_is_not_tried_again(make_job, failure):
    then = what_follows(make_job(1, max_retries=9), failed(failure), [], NOW)
    assert then.state == JobState.FAILED
    assert then.reason == f"so it was ({failure.replace('_', ' ')}: not tried again by itself)"


@pytest.mark.parametrize("failure", [c for c, rule in RETRY_RULES.items() if rule.max_retries != 0])
def test_what_may_go_better_waits_for_its_pause(make_job, failure):
    then = what_follows(make_job(1), failed(failure), [], NOW)
    assert (then.state, then.not_before) == (JobState.QUEUED, NOW + RETRY_RULES[failure].first_pause_s)


def test_each_pause_is_twice_the_one_before(make_job, make_attempts):
    earlier = make_attempts("node_lost", "node_lost")
    then = what_follows(make_job(1), failed(FailureClass.NODE_LOST, JobState.LOST), earlier, NOW)
    assert (then.state, then.not_before) == (JobState.QUEUED, NOW + 40.0)
    assert then.reason == "attempt 3 failed (node lost: so it was); the next one starts 40 s after it"


def test_retries_bound_faults_of_machines(make_job, make_attempts):
    lost = failed(FailureClass.NODE_LOST, JobState.LOST)
    earlier = make_attempts("node_lost", "hang", "unknown")
    then = what_follows(make_job(1, max_retries=3, infrastructure_faults=3), lost, earlier, NOW)
    assert then.state == JobState.LOST
    assert then.reason == "so it was (node lost: --retries 3 are used up)"
    assert what_follows(make_job(1, max_retries=4), lost, earlier, NOW).state == JobState.QUEUED
    assert what_follows(make_job(1, max_retries=0), lost, [], NOW).state == JobState.LOST


def test_a_machine_that_was_wanted_back_costs_no_retry(make_job, make_attempts):
    earlier = make_attempts(*["preempted"] * 20)
    then = what_follows(make_job(1, max_retries=0), failed(FailureClass.PREEMPTED), earlier, NOW)
    assert (then.state, then.infrastructure_faults, then.user_faults) == (JobState.QUEUED, 0, 0)


def test_each_class_has_its_own_bound(make_job, make_attempts):
    memory = failed(FailureClass.OUT_OF_MEMORY)
    assert what_follows(make_job(1), memory, make_attempts("preempted"), NOW).state == JobState.QUEUED
    then = what_follows(make_job(1), memory, make_attempts("out_of_memory"), NOW)
    assert (then.state, then.reason) == (JobState.FAILED, "so it was (out of memory: tried again once already)")


def test_faults_of_machines_and_of_the_run_are_counted_apart(make_job):
    job = make_job(1, infrastructure_faults=1, user_faults=1)
    counts = {}
    for failure in FailureClass:
        then = what_follows(job, failed(failure), [], NOW)
        counts[failure.value] = (then.infrastructure_faults - 1, then.user_faults - 1)
    assert counts == {
        "user_error": (0, 1),
        "data": (0, 1),
        "out_of_memory": (0, 1),
        "node_lost": (1, 0),
        "preempted": (0, 0),
        "hang": (1, 0),
        "budget": (0, 0),
        "unknown": (1, 0),
    }


def test_who_asks_to_try_again_gives_all_retries_anew(make_job, make_attempts):
    earlier = make_attempts("out_of_memory", None)
    job = make_job(1, summary={FRESH_FROM: 3})
    assert what_follows(job, failed(FailureClass.OUT_OF_MEMORY), earlier, NOW).state == JobState.QUEUED


@pytest.mark.parametrize("desired", [Desired.STOP, Desired.STOP_NOW])
def test_what_was_asked_to_stop_is_not_tried_again(make_job, desired):
    job = make_job(1, state=JobState.STOPPING, desired=desired)
    then = what_follows(job, failed(FailureClass.OUT_OF_MEMORY), [], NOW)
    assert (then.state, then.not_before, then.user_faults) == (JobState.FAILED, None, 1)
    assert then.reason == "so it was (out of memory: not tried again, as it was asked to stop)"
    assert then.state in JOB_TRANSITIONS[job.state]


def test_the_fault_of_an_attempt_counts_once(make_job):
    job = make_job(1, state=JobState.LOST, max_retries=0, infrastructure_faults=1)
    lost_again = what_follows(job, failed(FailureClass.NODE_LOST, JobState.LOST), [], NOW, "node_lost")
    assert (lost_again.infrastructure_faults, lost_again.user_faults) == (1, 0)
    wrong = what_follows(job, failed(FailureClass.DATA), [], NOW, "node_lost")
    assert (wrong.infrastructure_faults, wrong.user_faults) == (0, 1)
    done = what_follows(job, Verdict(JobState.FINISHED, "done"), [], NOW, "node_lost")
    assert (done.infrastructure_faults, done.user_faults) == (0, 0)
