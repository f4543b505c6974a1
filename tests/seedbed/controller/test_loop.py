"""The loop with a registry and a store that are real, and a Ray that does what a test says, when it says it."""

import json
import time
from dataclasses import dataclass, field, replace

import pytest

from seedbed import reports
from seedbed.controller import cluster_watch, judge, loop
from seedbed.controller.cluster_look import ClusterLook
from seedbed.controller.judge import RayWord
from seedbed.errors import RayAnswered, RayUnreachable, StoreError
from seedbed.ray_node import Node
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState, Desired, JobState
from seedbed.state import StateDirectory
from seedbed.store import Store

TOTAL = {"CPU": 2.0}
NODE = Node("id", "127.0.0.1", "host", True, True, None, TOTAL, {}, None, None, None, None, None, ())


@dataclass
class FakeRay:
    """Knows what it was sent, until it forgets."""

    words: dict[str, RayWord] = field(default_factory=dict)
    fault: Exception | None = None
    sent: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    takes: bool = True  # what it is sent; else it answers with `refuses`
    refuses: Exception = field(default_factory=lambda: RayUnreachable("the answer got lost"))
    session: str = "one"

    def look(self, row, session):
        if self.fault is not None:
            raise self.fault
        now = time.time()
        return ClusterLook(now, now, self.session, "2", dict(self.words), [NODE])

    def dispatch(self, job, attempt, row, store, state, dashboard_url):
        self.sent.append(attempt.submission_id)
        if not self.takes:
            raise self.refuses
        self.words[attempt.submission_id] = RayWord("RUNNING")
        return True

    def end(self, submission_id, row):
        self.stopped.append(submission_id)
        return True


class World:
    """A registry with a cluster, a store, a Ray, and controllers that come and go."""

    def __init__(self, folder):
        self.state = StateDirectory(folder / "state")
        self.registry = open_registry(None, self.state)
        row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UP)
        self.registry.save_cluster(row, reason="up", actor="test")
        self.store = Store(str(folder / "store"))
        self.ray = FakeRay()
        self.said: list[str] = []
        self.new_controller()

    def new_controller(self):
        """As after a kill: nothing is remembered but what registry, store and Ray have."""
        self.controller = loop.Controller(self.registry, self.state, self.said.append)

    def submit(self, number=1, **changes):
        new = NewJob(
            f"k{number}", f"r-{number}", "r", "default", "ann", "local", self.store.place, "b", 1, 0, 0, None, 3
        )
        job, _ = self.registry.add_job(replace(new, **changes), actor="ann")
        return job

    def until(self, is_so):
        deadline = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < deadline, (self.said, self.registry.jobs())
            self.controller.tick()
            time.sleep(0.01)

    def rounds(self, number=30):
        for _ in range(number):
            self.controller.tick()
            time.sleep(0.01)

    def until_state(self, job, state):
        self.until(lambda: self.registry.job(job.id).state == state)
        return self.registry.job(job.id)

    def report(self, job, sequence=0, attempt=1, number=1, **more):
        """A heartbeat, as the driver writes it."""
        told = {"at": time.time(), "sequence": sequence, "job": job.id, "attempt": attempt, "host": "node"} | more
        self.store.write(f"{reports.attempt_path(job.run_id, number)}/heartbeat.json", json.dumps(told).encode())

    def end(self, job, state, code, failure=None, number=1):
        told = {"at": time.time(), "exit_code": code, "state": state, "failure": failure, "reason": "so", "step": "x"}
        self.store.write(f"{reports.attempt_path(job.run_id, number)}/end.json", json.dumps(told).encode())

    def running(self, number=1):
        job = self.submit(number)
        self.until(lambda: len(self.ray.words) == number)
        self.report(job)
        return self.until_state(job, JobState.RUNNING)


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path)
    monkeypatch.setattr(loop, "look_at_cluster", lambda row, session: made.ray.look(row, session))
    monkeypatch.setattr(loop, "dispatch", lambda *arguments: made.ray.dispatch(*arguments))
    monkeypatch.setattr(loop, "end_in_ray", lambda *arguments: made.ray.end(*arguments))
    for name in ("CLUSTER_EVERY_S", "STORE_EVERY_S", "RUNS_EVERY_S", "REPORT_EVERY_S"):
        monkeypatch.setattr(loop, name, 0.02)
    monkeypatch.setattr(judge, "LOST_AFTER_S", 0.2)
    monkeypatch.setattr(cluster_watch, "UNREACHABLE_AFTER_S", 0.2)
    yield made
    made.registry.close()


def alarms(world):
    return {(alarm.kind, alarm.subject) for alarm in world.registry.alarms()}


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
    world.until(lambda: ("cluster_unreachable", "cluster local") in alarms(world))
    assert world.registry.job(job.id).state == JobState.RUNNING
    world.until(lambda: world.registry.cluster("local").state == ClusterState.UNREACHABLE)
    waiting = world.submit(2)
    world.rounds()
    assert (
        world.registry.job(waiting.id).reason == "waits for the cluster local, which does not answer: nobody is there"
    )
    world.ray.fault = None
    world.until(lambda: not alarms(world))
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
    world.until(lambda: ("job_lost", f"job {job.id}") in alarms(world))
    world.ray.words = words
    world.report(job, sequence=7)
    job = world.until_state(job, JobState.RUNNING)
    [attempt] = world.registry.attempts(job.id)
    assert (attempt.state, attempt.failure, attempt.ended_at, job.infrastructure_faults) == ("running", None, None, 0)
    world.until(lambda: not alarms(world))
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


def test_a_cluster_that_was_taken_down_has_lost_its_jobs(world, monkeypatch):
    monkeypatch.setattr("seedbed.controller.attempt_watch.SILENT_AFTER_S", 0.3)
    job = world.running()
    world.registry.update_cluster("local", state=ClusterState.DOWN, actor="ben", reason="taken down")
    job = world.until_state(job, JobState.QUEUED)
    world.registry.hurry(job, reason="now", actor="ben")
    world.rounds()
    assert world.registry.job(job.id).reason == "waits for the cluster local, which is down: `seedbed cluster up`"


def test_a_store_that_is_out_of_reach_is_an_alarm_and_no_verdict(world, monkeypatch):
    job = world.running()
    away = StoreError("cannot read s3://: nobody answers")
    away.transient = True

    def look(store, questions):
        raise away

    monkeypatch.setattr(loop, "look_at_store", look)
    world.ray.words = dict.fromkeys(world.ray.words, RayWord("FAILED", "gone", 1))
    world.until(lambda: ("store_unreachable", f"store {world.store.place}") in alarms(world))
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
    world.until(lambda: ("job_unreadable", f"job {job.id}") in alarms(world))
    world.rounds()
    assert world.registry.job(job.id).state == JobState.RUNNING
    [alarm] = world.registry.alarms()
    assert alarm.message.endswith("its store cannot be read: cannot read end.json: Permission denied")
    monkeypatch.setattr(reports, "read_end", read_end)
    world.until_state(job, JobState.FINISHED)
    world.until(lambda: not alarms(world))


def test_a_record_that_is_damaged_is_told_with_the_verdict(world):
    job = world.running()
    world.store.write(f"runs/{job.run_id}/plan.json", b"{}")
    world.ray.words = dict.fromkeys(world.ray.words, RayWord("SUCCEEDED", "", 0))
    job = world.until_state(job, JobState.QUEUED)
    assert "no result of its last step; runs/r-1/plan.json is damaged" in job.reason


def test_the_registry_hears_that_the_controller_lives_and_what_the_cluster_has(world):
    world.until(lambda: world.registry.cluster("local").snapshot)
    row = world.registry.cluster("local")
    assert row.snapshot["nodes"][0]["resources_total"] == {"CPU": 2.0}
    assert time.time() - row.controller["at"] < 5
