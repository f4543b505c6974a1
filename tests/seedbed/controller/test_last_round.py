"""What the jobs of a cluster that goes down have said last, with nobody but the one who takes it down to hear it."""

from seedbed.controller import last_round
from seedbed.controller.last_round import record_ends
from seedbed.errors import StoreError
from seedbed.registry.states import AttemptState, JobState


def test_what_a_stopped_job_said_last_is_written_down_without_a_controller(world):
    job = world.running()
    world.report(job, sequence=4, step="pretrain", done=49)
    world.end(job, "interrupted", 75, "preempted")
    record_ends(world.registry, "local", world.said.append)
    job = world.registry.job(job.id)
    [attempt] = world.registry.attempts(job.id)
    assert (job.state, job.infrastructure_faults) == (JobState.QUEUED, 0)  # it goes on with the next `up`
    assert job.reason.startswith("attempt 1 failed (preempted: so); the next one starts")
    assert (attempt.state, attempt.exit_code, attempt.failure) == (AttemptState.ENDED, 75, "preempted")
    assert attempt.progress["done"] == 49  # its last heartbeat, which no controller has seen


def test_a_job_that_was_asked_to_stop_has_stopped(world):
    job = world.running()
    world.registry.ask(job, "stop", reason="ben asked", actor="ben")
    world.end(job, "stopped", 0)
    record_ends(world.registry, "local", world.said.append)
    assert (world.registry.job(job.id).state, world.registry.job(job.id).reason) == (JobState.STOPPED, "so")


def test_one_that_was_killed_with_its_ray_waits_for_another_attempt(world):
    job = world.running()
    world.ray.words.clear()
    record_ends(world.registry, "local", world.said.append)
    [attempt] = world.registry.attempts(job.id)
    assert (attempt.state, attempt.failure) == (AttemptState.LOST, "node_lost")
    assert (world.registry.job(job.id).state, world.registry.job(job.id).infrastructure_faults) == (JobState.QUEUED, 1)


def test_a_job_of_another_cluster_and_one_whose_store_does_not_answer_stay_as_they_are(world, tmp_path):
    job = world.running()
    record_ends(world.registry, "other", world.said.append)
    assert world.registry.job(job.id).state == JobState.RUNNING
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    (tmp_path / "store").write_text("a file where a folder should be")
    record_ends(world.registry, "local", world.said.append)
    assert world.registry.job(job.id).state == JobState.RUNNING
    assert world.said[-1].startswith("how job 1 (r-1) ended cannot be read now: ")


def test_a_store_that_does_not_answer_is_waited_for_once(world, monkeypatch):
    for number in (1, 2):
        job = world.submit(number)
        world.registry.begin_attempt(job, reason="there is room", actor="test")
    asked = []

    def gone(store, questions):
        asked.append(store.url)
        error = StoreError("nobody answers")
        error.transient = True
        raise error

    monkeypatch.setattr(last_round, "look_at_store", gone)
    record_ends(world.registry, "local", world.said.append)
    assert len(asked) == 1
    assert {said.partition(" cannot be read now: ")[2] for said in world.said} == {
        "nobody answers",
        "its store did not answer before either",
    }
