import pytest

from seedbed import reports
from seedbed.errors import UsageError
from seedbed.job_requests import resume, retry, stop
from seedbed.registry.database import open_registry
from seedbed.registry.records import NewJob
from seedbed.registry.states import Desired, JobState
from seedbed.state import StateDirectory
from seedbed.store import Store


@pytest.fixture
def registry(tmp_path):
    opened = open_registry(None, StateDirectory(tmp_path / "state"))
    yield opened
    opened.close()


@pytest.fixture
def job(registry, tmp_path):
    store = str(tmp_path / "store")
    new = NewJob("k", "r-1", "r", "default", "ann", "local", store, "b", 1, 0, max_retries=3)
    return registry.add_job(new, actor="ann")[0]


def started(registry, job):
    job, attempt = registry.begin_attempt(job, reason="room", actor="controller")
    return registry.move(job, JobState.RUNNING, reason="heard", actor="controller"), attempt


def ended(registry, job, to, failure=None, **changes):
    job, attempt = started(registry, job)
    return registry.end_attempt(job, attempt, to=to, reason="so", actor="controller", failure=failure, **changes)[0]


def test_a_job_in_the_queue_is_stopped_at_once(registry, job):
    stopped, note = stop(registry, job, now=False, actor="ben")
    assert (stopped.state, stopped.reason, note) == (JobState.STOPPED, "ben stopped it in the queue", None)
    assert [event.reason for event in registry.events("job 1")][1:] == ["ben stopped it in the queue"]  # once
    with pytest.raises(UsageError, match=r"job 1 is stopped already \(ben stopped it in the queue\)"):
        stop(registry, job, now=False, actor="ben")
    assert resume(registry, stopped, actor="ben").state == JobState.QUEUED


def test_a_running_job_is_asked_through_registry_and_store(registry, job):
    job, _ = started(registry, job)
    asked, _ = stop(registry, job, now=True, actor="ben")
    assert (asked.state, asked.desired) == (JobState.RUNNING, Desired.STOP_NOW)
    request = reports.read_request(Store(job.store_url), job.run_id)
    assert (request.desired, request.by, request.job) == ("stop_now", "ben", job.id)


def test_a_store_that_does_not_take_the_request_is_told_and_the_job_asked_all_the_same(registry, job, tmp_path):
    (tmp_path / "store").write_text("a file where a folder should be")
    job, _ = started(registry, job)
    asked, note = stop(registry, job, now=False, actor="ben")
    assert asked.desired == Desired.STOP and "the controller passes it on" in note


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.LOST])
def test_what_failed_or_was_lost_is_tried_again_with_all_retries(registry, job, state):
    job = retry(registry, ended(registry, job, state, "node_lost", infrastructure_faults=4), actor="ben")
    assert (job.state, job.desired, job.infrastructure_faults) == (JobState.QUEUED, Desired.RUN, 4)
    assert job.summary["retries_from_attempt"] == 2


def test_a_job_that_waits_for_its_next_try_need_not_wait(registry, job):
    waiting = ended(registry, job, JobState.QUEUED, "node_lost", not_before=9e9)
    assert retry(registry, waiting, actor="ben").not_before is None
    with pytest.raises(UsageError, match="job 1 is queued"):
        retry(registry, registry.job(1), actor="ben")


def test_each_command_names_the_other(registry, job):
    with pytest.raises(UsageError, match="what can be resumed is stopped: seedbed retry 1"):
        resume(registry, ended(registry, job, JobState.FAILED), actor="ben")
    again = retry(registry, registry.job(1), actor="ben")
    with pytest.raises(UsageError, match="was stopped, not failed: `seedbed resume 1` goes on"):
        retry(registry, ended(registry, again, JobState.STOPPED), actor="ben")


def test_what_would_stop_at_the_same_place_is_not_resumed(registry, job):
    by_budget = ended(registry, job, JobState.STOPPED, "budget")
    with pytest.raises(UsageError, match="job 1 was stopped by its budget: so; submit the run with a higher limit"):
        resume(registry, by_budget, actor="ben")
    new = NewJob("k2", "r-2", "r", "default", "ann", "local", "/s", "b", 1, 0, until="extract")
    until = ended(registry, registry.add_job(new, actor="ann")[0], JobState.STOPPED)
    with pytest.raises(UsageError, match="job 2 is done up to extract, as asked"):
        resume(registry, until, actor="ben")


def test_who_retries_what_was_stopped_is_told_that_it_can_be_resumed(registry, job):
    running, _ = started(registry, job)
    stopping = registry.move(running, JobState.STOPPING, reason="asked", actor="controller")
    with pytest.raises(UsageError, match="job 1 is being stopped, not failed: once it is, `seedbed resume 1` goes on"):
        retry(registry, stopping, actor="ben")
    stopped = registry.move(stopping, JobState.STOPPED, reason="asked", actor="controller")
    with pytest.raises(UsageError, match="job 1 was stopped, not failed: `seedbed resume 1` goes on"):
        retry(registry, stopped, actor="ben")


def test_who_asks_for_less_does_not_take_back_what_was_asked_before(registry, job):
    job, _ = started(registry, job)
    stop(registry, job, now=True, actor="ann")
    asked, _ = stop(registry, job, now=False, actor="ben")
    assert (asked.desired, registry.job(job.id).desired) == (Desired.STOP_NOW, Desired.STOP_NOW)
    assert reports.read_request(Store(job.store_url), job.run_id).desired == "stop_now"
    assert registry.events(f"job {job.id}", newest_first=True)[0].actor == "ann"
