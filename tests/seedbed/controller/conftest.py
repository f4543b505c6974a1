"""Jobs and attempts as literals; a registry and a store that are real, with a Ray that does what a test says."""

import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from seedbed import reports
from seedbed.controller import cluster_watch, judge, loop
from seedbed.controller.cluster_look import ClusterLook
from seedbed.controller.judge import RayWord
from seedbed.errors import RayUnreachable
from seedbed.ray_node import Node
from seedbed.registry.database import open_registry
from seedbed.registry.records import Attempt, Cluster, Job, NewJob
from seedbed.registry.states import AttemptState, ClusterState, JobState
from seedbed.state import StateDirectory
from seedbed.store import Store

_JOB = Job(
    key="k",
    run_id="small-1",
    name="small",
    project="default",
    owner="ann",
    cluster="local",
    store_url="/store",
    bundle="b",
    cpus=2,
    gpus=0,
    max_retries=3,
)


@pytest.fixture
def make_job():
    """`make_job(3, cpus=4)`: a job of its own run."""

    def make(number: int, **changes: Any) -> Job:
        return replace(_JOB, **{"id": number, "run_id": f"small-{number}"} | changes)

    return make


@pytest.fixture
def make_attempts():
    """`make_attempts("node_lost", "preempted")`: attempts from 1 that ended so."""

    def make(*failures: str | None) -> list[Attempt]:
        return [
            Attempt(1, number, f"s-1-{number}", AttemptState.ENDED, 0.0, failure=failure)
            for number, failure in enumerate(failures, start=1)
        ]

    return make


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
    untold: dict[str, str] = field(default_factory=dict)

    def look(self, row, session, submission_ids):
        if self.fault is not None:
            raise self.fault
        now = time.time()
        words = {name: self.words.get(name) for name in submission_ids if name not in self.untold}
        return ClusterLook(now, now, self.session, "2", words, [NODE], dict(self.untold))

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

    def alarms(self):
        return {(alarm.kind, alarm.subject) for alarm in self.registry.alarms()}

    def running(self, number=1):
        job = self.submit(number)
        self.until(lambda: len(self.ray.words) == number)
        self.report(job)
        return self.until_state(job, JobState.RUNNING)


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path)
    monkeypatch.setattr(loop, "look_at_cluster", lambda *arguments: made.ray.look(*arguments))
    monkeypatch.setattr(loop, "dispatch", lambda *arguments: made.ray.dispatch(*arguments))
    monkeypatch.setattr(loop, "end_in_ray", lambda *arguments: made.ray.end(*arguments))
    for name in ("CLUSTER_EVERY_S", "STORE_EVERY_S", "RUNS_EVERY_S", "REPORT_EVERY_S"):
        monkeypatch.setattr(loop, name, 0.02)
    monkeypatch.setattr(judge, "LOST_AFTER_S", 0.2)
    monkeypatch.setattr(cluster_watch, "UNREACHABLE_AFTER_S", 0.2)
    yield made
    made.registry.close()
