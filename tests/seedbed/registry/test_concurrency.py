"""Several processes at one registry, and processes killed in the middle: nothing is lost, nothing is done twice."""

import dataclasses
import signal
import time

import pytest

from seedbed.errors import RegistryUnreachable, StaleState
from seedbed.registry import database
from seedbed.registry.states import JobState

S = JobState

CLAIM = """
for job in registry.jobs(states=[JobState.QUEUED], limit=None):
    try:
        registry.begin_attempt(job, reason="free", actor=sys.argv[2])
        print("won", job.id, flush=True)
    except StaleState:
        pass
print("done", flush=True)
"""

COUNT = """
for _ in range(int(sys.argv[3])):
    while True:
        job = registry.job(1)
        to = JobState.STARTING if job.state == JobState.QUEUED else JobState.QUEUED
        try:
            registry.move(job, to, reason="", actor=sys.argv[2], infrastructure_faults=job.infrastructure_faults + 1)
            break
        except StaleState:
            pass
print("done", flush=True)
"""

WRITE = """
for number in range(int(sys.argv[3])):
    registry.event("job", str(number % 3), reason="", actor=sys.argv[2])
print("done", flush=True)
"""

HALF = """
from seedbed.registry.jobs import moved
with registry._database.write() as connection:
    moved(connection, registry.job(1), JobState.STARTING, reason="never committed", actor="the dead")
    print("inside", flush=True)
    sys.stdin.readline()
"""

FOREVER = """
print("goes", flush=True)
job = registry.job(1)
while True:
    to = JobState.STARTING if job.state == JobState.QUEUED else JobState.QUEUED
    job = registry.move(job, to, reason="", actor="the dead", infrastructure_faults=job.infrastructure_faults + 1)
"""


@pytest.fixture
def work(start, url, working):
    """Starts a process that has the registry open and waits."""

    def work(code, *arguments):
        begun = start(working + code, url, *arguments)
        assert begun.says() == "ready"
        return begun

    return work


def go(*processes):
    """Let all of them off at once; what each said until it was done."""
    for process in processes:
        process.process.stdin.write("\n")
        process.process.stdin.flush()
    said = [list(iter(process.says, "")) for process in processes]
    assert [each[-1:] for each in said] == [["done"]] * len(processes)
    return [each[:-1] for each in said]


def test_each_job_is_started_by_exactly_one_of_several_controllers(registry, new, work):
    for number in range(20):
        registry.add_job(dataclasses.replace(new, key=str(number)), actor="ann")
    won = go(*(work(CLAIM, name) for name in ("a", "b", "c")))
    assert sorted(int(said.split()[1]) for each in won for said in each) == list(range(1, 21))
    assert [registry.attempts(number)[-1].number for number in range(1, 21)] == [1] * 20
    starts = [event.subject_id for event in registry.events(limit=1000) if event.to_state == "starting"]
    assert len(starts) == len(set(starts)) == 40  # of jobs and of their attempts


def test_no_transition_of_several_writers_is_lost(registry, new, work):
    registry.add_job(new, actor="ann")
    go(*(work(COUNT, name, 15) for name in ("a", "b", "c")))
    job = registry.job(1)
    assert (job.infrastructure_faults, job.revision) == (45, 46)
    events = registry.events("job 1")
    assert [event.from_state for event in events[1:]] == [event.to_state for event in events[:-1]]
    assert len(events) == 46


def test_who_reads_events_on_from_the_last_id_misses_none(registry, work):
    writers = [work(WRITE, name, 100) for name in ("a", "b", "c")]
    for writer in writers:
        writer.process.stdin.write("\n")
        writer.process.stdin.flush()
    seen = []
    until = time.monotonic() + 120
    while len(seen) < 300 and time.monotonic() < until:
        seen += registry.events(after_id=seen[-1].id if seen else 0)
        if all(writer.process.poll() is not None for writer in writers):
            seen += registry.events(after_id=seen[-1].id)
            break
    assert seen == registry.events(limit=1000)
    assert len(seen) == 300


def test_a_writer_killed_in_the_middle_leaves_no_half_and_holds_nobody_up(registry, new, work):
    job, _ = registry.add_job(new, actor="ann")
    dying = work(HALF)
    dying.process.stdin.write("\n")
    dying.process.stdin.flush()
    assert dying.says() == "inside"
    assert registry.job(1) == job  # readers do not wait for writers
    dying.process.kill()
    dying.process.wait()
    moved, _ = registry.begin_attempt(job, reason="free", actor="the living")
    assert moved.revision == job.revision + 1
    assert {event.actor for event in registry.events()} == {"ann", "the living"}


def test_job_and_events_agree_whenever_a_writer_is_killed(registry, new, work):
    registry.add_job(new, actor="ann")
    for pause_s in (0.0, 0.05, 0.2):
        dying = work(FOREVER)
        dying.process.stdin.write("\n")
        dying.process.stdin.flush()
        assert dying.says() == "goes"
        time.sleep(pause_s)
        dying.process.kill()
        dying.process.wait()
    job = registry.job(1)
    events = registry.events("job 1", limit=1_000_000)
    assert (job.infrastructure_faults, job.revision) == (len(events) - 1, len(events))
    assert events[-1].to_state == job.state
    assert job.revision > 1


def test_a_writer_that_stands_still_is_told_of_and_not_waited_for_for_ever(monkeypatch, open_it, new, work):
    monkeypatch.setattr(database, "PATIENCE_S", 0.5)
    registry = open_it()
    registry.add_job(new, actor="ann")
    suspended = work(HALF)
    suspended.process.stdin.write("\n")
    suspended.process.stdin.flush()
    assert suspended.says() == "inside"
    suspended.process.send_signal(signal.SIGSTOP)
    with pytest.raises(RegistryUnreachable) as refused:
        registry.event("job", "1", reason="", actor="ann")
    assert refused.value.transient
    assert registry.job(1).state == S.QUEUED
    suspended.process.kill()
    suspended.process.wait()
    registry.event("job", "1", reason="", actor="ann")


def test_a_stale_record_loses_also_within_one_process(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    registry.begin_attempt(job, reason="", actor="a")
    with pytest.raises(StaleState):
        registry.begin_attempt(job, reason="", actor="b")
    assert len(registry.attempts(1)) == 1
