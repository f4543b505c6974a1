"""The loop with a registry and a store that are real, and a Ray that does what a test says, when it says it."""

import threading
import time

from seedbed import reports
from seedbed.controller import loop
from seedbed.controller.judge import RayWord
from seedbed.errors import RayAnswered, RayUnreachable, RegistryError, StoreError, UsageError
from seedbed.registry.states import ClusterState, Desired, JobState


def test_a_job_goes_its_way(world):
    job = world.running()
    assert world.registry.attempts(job.id)[0].progress["store_attempt"] == 1
    world.report(job, sequence=1, step="pretrain")
    world.end(job, "finished", 0)
    job = world.until_state(job, JobState.FINISHED)
    [attempt] = world.registry.attempts(job.id)
    assert (attempt.state, attempt.exit_code, attempt.node) == ("ended", 0, "node")
    assert world.ray.sent == [attempt.submission_id]


def test_killed_before_ray_heard_of_an_attempt_it_is_sent_then(world):
    job = world.submit()
    world.registry.begin_attempt(job, reason="there is room", actor="controller")  # and the controller was killed
    world.new_controller()
    world.until(lambda: world.ray.sent)
    world.rounds()
    assert len(world.ray.sent) == 1
    assert len(world.registry.attempts(job.id)) == 1


def test_killed_after_ray_took_it_it_is_not_started_twice(world):
    job = world.submit()
    world.until(lambda: world.ray.words)
    for _ in range(3):
        world.new_controller()
        world.rounds()
    assert len(world.ray.sent) == 1
    assert len(world.registry.attempts(job.id)) == 1


def test_an_answer_that_got_lost_is_asked_for_again(world):
    world.ray.takes = False
    job = world.submit()
    world.until(lambda: len(world.ray.sent) == 2)
    world.ray.takes = True
    world.until(lambda: world.ray.words)
    assert len(set(world.ray.sent)) == 1
    assert world.registry.job(job.id).state == JobState.STARTING


def test_what_ray_refuses_again_and_again_has_failed(world):
    world.ray.takes, world.ray.refuses = False, RayAnswered("no room on the disk", 500)
    job = world.submit(max_retries=0)
    job = world.until_state(job, JobState.FAILED)
    assert "Ray did not take it in 5 tries: no room on the disk" in job.reason


def test_a_bundle_that_is_gone_is_not_asked_for_again(world):
    world.ray.takes, world.ray.refuses = False, StoreError("cannot read bundles/b.zip: nothing is there")
    job = world.until_state(world.submit(), JobState.FAILED)
    assert "nothing is there (user error: not tried again by itself)" in job.reason
    assert len(world.ray.sent) == 1


def test_a_cluster_that_does_not_answer_changes_nothing_and_is_an_alarm(world):
    job = world.running()
    world.ray.fault = RayUnreachable("nobody is there")
    world.until(lambda: ("cluster_unreachable", "cluster local") in world.alarms())
    assert world.registry.job(job.id).state == JobState.RUNNING
    world.until(lambda: world.registry.cluster("local").state == ClusterState.UNREACHABLE)
    waiting = world.submit(2)
    world.rounds()
    reason = "waits for the cluster local, which does not answer (nobody is there): `seedbed cluster up`"
    assert world.registry.job(waiting.id).reason == reason
    [alarm] = world.registry.alarms()
    assert alarm.message.endswith("; next: seedbed cluster up")
    world.ray.fault = None
    world.until(lambda: not world.alarms())
    world.until(lambda: world.registry.cluster("local").state == ClusterState.UP)
    world.until(lambda: len(world.ray.words) == 2)


def test_what_was_done_while_the_cluster_did_not_answer_is_told_by_the_store(world):
    job = world.running()
    world.ray.fault = RayUnreachable("nobody is there")
    world.end(job, "finished", 0)
    world.until_state(job, JobState.FINISHED)


def test_a_ray_that_came_back_empty_has_lost_the_attempt(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.attempt_watch.SILENT_AFTER_S", 0.3)
    job = world.running()
    world.ray.words, world.ray.session = {}, "two"
    job = world.until_state(job, JobState.QUEUED)
    [attempt] = world.registry.attempts(job.id)
    assert (attempt.state, attempt.failure, job.infrastructure_faults) == ("lost", "node_lost", 1)
    assert job.not_before is not None
    world.registry.hurry(job, reason="now", actor="ann")
    world.until(lambda: len(world.ray.words) == 1)
    assert world.registry.job(job.id).state == JobState.STARTING
    assert world.ray.sent[1].endswith(f"-{job.id}-2")


def test_a_job_that_is_lost_comes_back_when_it_is_heard_again(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.attempt_watch.SILENT_AFTER_S", 0.3)
    job = world.submit(max_retries=0)
    world.until(lambda: world.ray.words)
    world.report(job)
    world.until_state(job, JobState.RUNNING)
    words, world.ray.words = world.ray.words, {}
    world.until_state(job, JobState.LOST)
    world.until(lambda: ("job_lost", f"job {job.id}") in world.alarms())
    world.ray.words = words
    world.report(job, sequence=7)
    job = world.until_state(job, JobState.RUNNING)
    [attempt] = world.registry.attempts(job.id)
    assert (attempt.state, attempt.failure, attempt.ended_at, job.infrastructure_faults) == ("running", None, None, 0)
    world.until(lambda: not world.alarms())
    world.end(job, "finished", 0)
    world.until_state(job, JobState.FINISHED)


def test_a_new_controller_finds_an_old_heartbeat_of_a_lost_job_and_leaves_it_lost(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.attempt_watch.SILENT_AFTER_S", 0.3)
    job = world.submit(max_retries=0)
    world.until(lambda: world.ray.words)
    world.report(job)
    world.until_state(job, JobState.RUNNING)
    world.ray.words = {}
    job = world.until_state(job, JobState.LOST)
    world.new_controller()
    world.rounds(60)
    again = world.registry.job(job.id)
    assert (again.state, again.state_since, again.infrastructure_faults) == (JobState.LOST, job.state_since, 1)
    world.report(job, sequence=7)  # the machine was cut off, and is not any more
    world.until_state(job, JobState.RUNNING)


def test_who_is_heard_is_not_lost_whatever_ray_says(world):
    job = world.running()
    world.ray.words = {}
    until = time.monotonic() + 1.5
    sequence = 0
    while time.monotonic() < until:
        sequence += 1
        world.report(job, sequence=sequence)
        world.controller.tick()
        time.sleep(0.05)
    assert world.registry.job(job.id).state == JobState.RUNNING


def test_a_request_to_stop_is_passed_on_through_the_store(world):
    job = world.running()
    world.registry.ask(job, Desired.STOP, reason="ben asked", actor="ben")
    world.until(lambda: reports.read_request(world.store, job.run_id) is not None)
    request = reports.read_request(world.store, job.run_id)
    assert (request.desired, request.by, request.job) == ("stop", "ben", job.id)
    assert world.registry.job(job.id).state == JobState.STOPPING
    assert world.ray.stopped == []  # it takes a checkpoint first
    world.registry.ask(world.registry.job(job.id), Desired.STOP_NOW, reason="ben is in a hurry", actor="ben")
    world.until(lambda: world.ray.stopped)
    world.until(lambda: reports.read_request(world.store, job.run_id).desired == "stop_now")
    world.end(job, "interrupted", 75, "preempted")
    job = world.until_state(job, JobState.STOPPED)
    assert len(world.ray.stopped) == 1


def test_a_new_controller_does_not_hurry_who_takes_a_checkpoint(world, monkeypatch):
    job = world.running()
    world.registry.ask(job, Desired.STOP, reason="ben asked", actor="ben")
    world.until(lambda: reports.read_request(world.store, job.run_id) is not None)
    world.new_controller()
    monkeypatch.setattr(loop, "look_at_store", lambda store, questions: {})  # Ray answers before the store does
    world.rounds()
    assert world.ray.stopped == []


def test_who_has_not_reported_yet_is_stopped_in_ray(world):
    job = world.submit()
    world.until(lambda: world.ray.words)
    world.registry.ask(world.registry.job(job.id), Desired.STOP, reason="ben asked", actor="ben")
    world.until(lambda: world.ray.stopped)
    world.ray.words = {world.ray.stopped[0]: RayWord("STOPPED")}
    world.store.write(f"runs/{job.run_id}/plan.json", b"{}")  # unreadable: no result, and no reason to wait for ever
    world.until_state(job, JobState.STOPPED)


def test_who_runs_out_of_memory_while_it_is_to_stop_has_failed_and_says_once_what_it_printed(world):
    job = world.submit()
    world.until(lambda: world.ray.words)
    world.registry.ask(world.registry.job(job.id), Desired.STOP, reason="ben asked", actor="ben")
    world.until_state(job, JobState.STOPPING)
    [attempt] = world.registry.attempts(job.id)
    world.ray.words = {attempt.submission_id: RayWord("FAILED", "exit code 1\nMemoryError: out of memory", 1)}
    world.store.write(f"runs/{job.run_id}/plan.json", b"{}")
    job = world.until_state(job, JobState.FAILED)
    assert "out of memory: not tried again, as it was asked to stop" in job.reason
    world.rounds()
    told = [event.reason for event in world.registry.events(f"attempt {job.id}.1")]
    assert sum("it printed last: MemoryError: out of memory" in reason for reason in told) == 1, told
    assert world.said[-1].endswith(job.reason)


def test_a_job_in_the_queue_that_is_to_stop_never_starts(world):
    world.ray.fault = RayUnreachable("nobody is there")
    job = world.submit()
    world.registry.ask(job, Desired.STOP, reason="ben asked", actor="ben")
    world.until_state(job, JobState.STOPPED)
    world.ray.fault = None
    world.rounds()
    assert world.ray.sent == []


def test_an_attempt_that_ray_cannot_tell_of_is_said_once_and_stays_as_it_was(world):
    job = world.running()
    [submission_id] = world.ray.sent
    world.ray.untold = {submission_id: "it answered with 500"}
    world.rounds()
    assert world.said.count(f"{submission_id} cannot be asked for: it answered with 500") == 1
    assert world.registry.job(job.id).state == JobState.RUNNING
    assert world.controller._clusters["local"].answers


def test_a_cluster_that_was_taken_down_has_lost_its_jobs(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.attempt_watch.SILENT_AFTER_S", 0.3)
    job = world.running()
    world.registry.update_cluster("local", state=ClusterState.DOWN, actor="ben", reason="taken down")
    job = world.until_state(job, JobState.QUEUED)
    world.registry.hurry(job, reason="now", actor="ben")
    world.rounds()
    assert world.registry.job(job.id).reason == "waits for the cluster local, which is down: `seedbed cluster up`"


def test_a_record_that_is_damaged_is_told_with_the_verdict(world):
    job = world.running()
    world.store.write(f"runs/{job.run_id}/plan.json", b"{}")
    world.ray.words = dict.fromkeys(world.ray.words, RayWord("SUCCEEDED", "", 0))
    job = world.until_state(job, JobState.QUEUED)
    assert "no result of its last step; runs/r-1/plan.json is damaged" in job.reason


def test_what_goes_wrong_in_one_part_of_a_round_is_said_once_and_holds_up_no_other(world, monkeypatch):
    def full(*_):
        raise RegistryError("the registry cannot be used: database or disk is full")

    monkeypatch.setattr(loop, "report", full)
    world.running()
    assert sum("disk is full" in said for said in world.said) == 1


def test_a_wrong_use_in_a_whole_part_of_a_round_is_said(world, monkeypatch):
    def wrong(*_):
        raise UsageError("no job 7")

    monkeypatch.setattr(loop, "arrange", wrong)
    world.submit()
    world.controller.tick()
    assert world.said[0].startswith("to start what waits: UsageError: no job 7\n")


def test_a_job_that_cannot_be_started_holds_up_no_other(world, monkeypatch):
    begin = world.registry.begin_attempt

    def begin_attempt(job, **how):
        if job.id == 1:
            raise RegistryError("its row is damaged")
        return begin(job, **how)

    monkeypatch.setattr(world.registry, "begin_attempt", begin_attempt)
    first, second = world.submit(1), world.submit(2)
    world.until_state(second, JobState.STARTING)
    assert world.registry.job(first.id).state == JobState.QUEUED
    assert sum(said.startswith("to start job 1: RegistryError: its row is damaged\n") for said in world.said) == 1


def test_what_is_never_said_the_same_way_twice_is_not_remembered_without_end(world, monkeypatch):
    def full(*_):
        raise RegistryError(f"it is {time.monotonic_ns()}")

    monkeypatch.setattr(loop, "MAX_DEFECTS", 3)
    monkeypatch.setattr(world.controller, "_look", full)
    for _ in range(5):
        world.controller.tick()
    assert len(world.said) == 5
    assert len(world.controller._defects) == 3


def test_a_registry_whose_disk_is_full_for_a_moment_ends_no_controller(world, monkeypatch):
    monkeypatch.setattr(loop, "TICK_S", 0.01)
    ending, rounds = threading.Event(), []

    def tick():
        rounds.append(len(rounds))
        if len(rounds) > 3:
            ending.set()
        raise RegistryError("the registry cannot be used: database or disk is full")

    monkeypatch.setattr(world.controller, "tick", tick)
    world.controller.run(ending)
    assert len(rounds) == 4
    assert world.said == ["leading", "the registry cannot be used: database or disk is full", "ended in order"]
