"""What the controller tells: alarms that are raised, stand and go, and its sign of life."""

import time

from seedbed import reports
from seedbed.controller import loop, telling
from seedbed.controller.judge import RayWord
from seedbed.errors import RayUnreachable, StoreError
from seedbed.registry.states import JobState


def test_a_store_that_is_out_of_reach_is_an_alarm_and_no_verdict(world, monkeypatch):
    job = world.running()
    away = StoreError("cannot read s3://: nobody answers")
    away.transient = True

    def look(store, questions):
        raise away

    monkeypatch.setattr(loop, "look_at_store", look)
    world.ray.words = dict.fromkeys(world.ray.words, RayWord("FAILED", "gone", 1))
    world.until(lambda: ("store_unreachable", f"store {world.store.place}") in world.alarms())
    world.rounds()
    assert world.registry.job(job.id).state == JobState.RUNNING


def test_a_last_word_that_cannot_be_read_is_an_alarm_and_no_verdict(world, monkeypatch):
    job = world.running()
    world.end(job, "finished", 0)
    read_end = reports.read_end

    def refuse(*_):
        raise StoreError("cannot read end.json: Permission denied")

    monkeypatch.setattr(reports, "read_end", refuse)
    world.ray.words = dict.fromkeys(world.ray.words, RayWord("SUCCEEDED", "", 0))
    world.until(lambda: ("job_unreadable", f"job {job.id}") in world.alarms())
    world.rounds()
    assert world.registry.job(job.id).state == JobState.RUNNING
    [alarm] = world.registry.alarms()
    assert alarm.message.endswith("its store cannot be read: cannot read end.json: Permission denied")
    monkeypatch.setattr(reports, "read_end", read_end)
    world.until_state(job, JobState.FINISHED)
    world.until(lambda: not world.alarms())
    reasons = [event.reason for event in world.registry.events(f"job {job.id}")]
    assert f"over: {alarm.message}" in reasons  # what is over, and not that something is


def test_an_alarm_on_a_store_that_no_job_needs_any_more_goes(world, monkeypatch):
    job = world.running()
    away = StoreError("cannot read s3://: nobody answers")
    away.transient = True
    monkeypatch.setattr(loop, "look_at_store", lambda store, questions: (_ for _ in ()).throw(away))
    world.until(lambda: ("store_unreachable", f"store {world.store.place}") in world.alarms())
    world.registry.move(world.registry.job(job.id), JobState.STOPPED, reason="by hand", actor="ben")
    world.until(lambda: not world.alarms())


def test_a_silent_job_stays_an_alarm_while_its_cluster_does_not_answer(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.alarm_rules.HEARTBEAT_WARNING_S", 0.2)
    job = world.running()
    world.report(job, sequence=1)
    world.until(lambda: ("heartbeat_old", f"job {job.id}") in world.alarms())
    world.ray.fault = RayUnreachable("nobody is there")
    world.until(lambda: ("cluster_unreachable", "cluster local") in world.alarms())
    assert ("heartbeat_old", f"job {job.id}") in world.alarms()
    assert not [e for e in world.registry.events(f"job {job.id}") if e.reason.startswith("over: ")]


def test_of_more_lost_jobs_than_are_told_no_alarm_goes(world, monkeypatch):
    monkeypatch.setattr(telling, "MAX_LOST", 1)
    jobs = []
    for number in (1, 2):
        job, attempt = world.registry.begin_attempt(world.submit(number), reason="room", actor="test")
        jobs.append(job)
        world.registry.end_attempt(job, attempt, to=JobState.LOST, reason="gone", actor="test", ended_at=1.0)
        world.until(lambda number=number: ("job_lost", f"job {number}") in world.alarms())
    world.rounds()
    assert {("job_lost", "job 1"), ("job_lost", "job 2")} <= world.alarms()
    elsewhere = world.submit(3, run_id="r-1", store_url="/another", cluster="none")
    world.rounds()
    assert ("job_lost", "job 1") in world.alarms()  # that is another run of the same name
    world.submit(4, run_id="r-1", cluster="none")
    world.until(lambda: ("job_lost", "job 1") not in world.alarms())
    assert world.registry.job(elsewhere.id).state == JobState.QUEUED


def test_the_registry_hears_that_the_controller_lives_and_what_the_cluster_has(world):
    world.until(lambda: world.registry.cluster("local").snapshot)
    row = world.registry.cluster("local")
    assert row.snapshot["nodes"][0]["resources_total"] == {"CPU": 2.0}
    assert time.time() - row.controller["at"] < 5
