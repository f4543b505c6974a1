"""What the registry remembers and refuses, the same in both databases."""

import dataclasses

import pytest
import sqlalchemy as sa

from seedbed.errors import RegistryError, StaleState, UsageError
from seedbed.registry.records import Cluster, Run
from seedbed.registry.states import ACTIVE, FINAL, AttemptState, ClusterState, Desired, JobState, Level

S = JobState


def story(registry, subject=None):
    """Events as lines."""
    return [
        f"{event.subject}: {event.from_state} -> {event.to_state} by {event.actor}: {event.reason}"
        for event in registry.events(subject)
    ]


def at(registry, job, *states):
    """The job after these moves."""
    for state in states:
        job = registry.move(job, state, reason=f"now {state}", actor="controller")
    return job


def test_a_submission_becomes_a_job_in_the_queue(registry, new):
    job, is_new = registry.add_job(dataclasses.replace(new, priority=3), actor="ann")
    assert is_new
    assert (job.id, job.state, job.desired, job.priority, job.cpus, job.summary) == (
        1,
        S.QUEUED,
        Desired.RUN,
        3,
        4.0,
        {"num_steps": 12},
    )
    assert registry.job(1) == job
    assert registry.jobs() == [job]
    assert story(registry) == ["job 1: None -> queued by ann: submitted as run demo-0a1b2c3d to cluster local"]


def test_the_same_submission_twice_is_one_job_until_it_is_over(registry, new):
    first, _ = registry.add_job(new, actor="ann")
    running = at(registry, first, S.STARTING, S.RUNNING)
    assert registry.add_job(new, actor="bob") == (running, False)
    at(registry, running, S.FINISHED)
    again, is_new = registry.add_job(new, actor="bob")
    assert (again.id, is_new) == (2, True)
    assert len(registry.events()) == 5  # two submissions and three moves: none for what changed nothing


def test_a_job_that_waits_for_one_that_is_not_there_is_refused(registry, new):
    with pytest.raises(UsageError, match="no job 7: `seedbed jobs` lists"):
        registry.add_job(dataclasses.replace(new, after=7), actor="ann")
    assert registry.jobs() == []
    assert registry.events() == []


def test_a_move_changes_what_belongs_to_it_and_tells_of_it(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    job = at(registry, job, S.STARTING, S.RUNNING)
    assert job.ended_at is None
    failed = registry.move(
        job, S.FAILED, reason="out of memory", actor="controller", user_faults=1, details={"rank": 3}
    )
    assert (failed.state, failed.reason, failed.user_faults) == (S.FAILED, "out of memory", 1)
    assert failed.ended_at == failed.state_since >= failed.submitted_at
    assert registry.events("job 1")[-1].details == {"rank": 3}
    again = registry.move(failed, S.QUEUED, reason="retry", actor="ann", not_before=5.5)
    assert (again.ended_at, again.not_before) == (None, 5.5)
    assert story(registry, "job 1")[1:] == [
        "job 1: queued -> starting by controller: now starting",
        "job 1: starting -> running by controller: now running",
        "job 1: running -> failed by controller: out of memory",
        "job 1: failed -> queued by ann: retry",
    ]


def test_a_move_from_what_is_not_any_more_is_refused_and_leaves_nothing(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    at(registry, job, S.STARTING)
    with pytest.raises(StaleState, match=r"job 1 was queued .* is now starting \(run asked\): now starting"):
        registry.move(job, S.STOPPED, reason="changed my mind", actor="bob")
    assert registry.job(1).state == S.STARTING
    assert len(registry.events()) == 2


def test_a_move_does_not_overlook_what_was_asked_meanwhile(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    registry.ask(job, Desired.STOP, reason="wrong data", actor="ann")
    with pytest.raises(StaleState, match="stop asked"):
        registry.begin_attempt(job, reason="there is room", actor="controller")
    assert registry.attempts(1) == []


def test_a_state_returned_to_is_not_the_same_state(registry, new):
    queued, _ = registry.add_job(new, actor="ann")
    at(registry, queued, S.STARTING, S.QUEUED)
    with pytest.raises(StaleState):
        at(registry, queued, S.STARTING)


@pytest.mark.parametrize(
    ("path", "to"), [((), S.RUNNING), ((S.STARTING, S.FINISHED), S.QUEUED), ((S.STARTING, S.STOPPING), S.RUNNING)]
)
def test_a_state_that_may_not_follow_is_refused(registry, new, path, to):
    job = at(registry, registry.add_job(new, actor="ann")[0], *path)
    with pytest.raises(ValueError, match=f"{to} does not follow"):
        registry.move(job, to, reason="", actor="controller")
    assert registry.job(1) == job


def test_a_move_cannot_change_what_a_job_is(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    with pytest.raises(TypeError, match="does not change run_id"):
        registry.move(job, S.STARTING, reason="", actor="controller", run_id="other-1")


def test_a_retry_is_refused_while_the_same_submission_is_under_way(registry, new):
    failed = at(registry, registry.add_job(new, actor="ann")[0], S.FAILED)
    registry.add_job(new, actor="ann")
    with pytest.raises(UsageError, match="job 2 is the same submission as job 1, and it is queued"):
        at(registry, failed, S.QUEUED)
    assert registry.job(1) == failed


def test_what_a_person_asks_holds_whatever_the_job_got_into(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    at(registry, job, S.STARTING, S.RUNNING)
    asked = registry.ask(job, Desired.STOP, reason="enough", actor="bob")
    assert (asked.state, asked.desired) == (S.RUNNING, Desired.STOP)
    assert registry.ask(job, Desired.STOP, reason="enough", actor="bob") == asked
    assert [event.details for event in registry.events("job 1")][-1] == {"desired": "stop", "before": "run"}
    at(registry, asked, S.STOPPED)
    with pytest.raises(UsageError, match="job 1 is stopped already"):
        registry.ask(job, Desired.STOP_NOW, reason="", actor="bob")


def test_why_a_job_waits_is_no_event(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    told = registry.explain(job, "waits for 4 CPUs: 2 of 8 are free")
    assert told.reason == "waits for 4 CPUs: 2 of 8 are free"
    assert told.revision == job.revision
    moved = at(registry, told, S.STARTING)
    assert registry.explain(told, "waits still") == moved
    assert len(registry.events()) == 2


def test_jobs_are_found_by_id_run_and_name(registry, new):
    with pytest.raises(UsageError, match="no job 'demo': nothing was submitted yet"):
        registry.find_job("demo")
    for key, run_id in (("a", "demo-1"), ("b", "demo-2"), ("c", "7")):
        registry.add_job(dataclasses.replace(new, key=key, run_id=run_id), actor="ann")
    assert [registry.find_job(text).id for text in ("1", "demo-1", "demo", "7")] == [1, 1, 3, 3]
    with pytest.raises(UsageError, match=r"no job 'x'; the latest are 3 \(7\), 2 \(demo-2\), 1 \(demo-1\)"):
        registry.find_job("x")
    with pytest.raises(UsageError, match="no job '99999999999999999999'"):
        registry.find_job("99999999999999999999")


def test_jobs_are_listed_newest_first_by_state_project_and_run(registry, new):
    for number in range(1, 7):
        project = "web" if number % 2 else "books"
        named = dataclasses.replace(new, key=str(number), run_id=f"demo-{number}", project=project)
        job, _ = registry.add_job(named, actor="ann")
        at(registry, job, *([], [S.STARTING], [S.FAILED])[number % 3])

    def ids(**wanted):
        return [job.id for job in registry.jobs(**wanted)]

    assert ids() == [6, 5, 4, 3, 2, 1]
    assert ids(limit=2) == [6, 5]
    assert ids(states=ACTIVE, limit=None) == [6, 4, 3, 1]
    assert ids(states=FINAL) == [5, 2]
    assert ids(states={S.QUEUED, S.FAILED}, limit=3) == [6, 5, 3]
    assert ids(project="books", states=ACTIVE) == [6, 4]
    assert ids(run_id="demo-2") == [2]
    assert ids(states=[]) == []


def test_an_attempt_begins_and_ends_together_with_its_job(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    job, attempt = registry.begin_attempt(job, reason="4 of 8 CPUs are free", actor="controller")
    assert (job.state, job.started_at) == (S.STARTING, attempt.started_at)
    assert (attempt.number, attempt.state, attempt.submission_id) == (1, "starting", f"seedbed-{registry.id}-1-1")
    job = at(registry, job, S.RUNNING)
    attempt = registry.update_attempt(attempt, state=AttemptState.RUNNING, node="node-a", actor="controller")
    job, attempt = registry.end_attempt(
        job,
        attempt,
        to=S.QUEUED,
        reason="node-a is gone",
        actor="controller",
        attempt_state=AttemptState.LOST,
        failure="node_lost",
        infrastructure_faults=1,
        not_before=9.0,
    )
    assert (job.state, job.infrastructure_faults, job.not_before, job.reason) == (S.QUEUED, 1, 9.0, "node-a is gone")
    assert (attempt.state, attempt.failure, attempt.node) == ("lost", "node_lost", "node-a")
    started_at = job.started_at
    job, second = registry.begin_attempt(job, reason="again", actor="controller")
    assert (second.number, second.submission_id) == (2, f"seedbed-{registry.id}-1-2")
    assert (job.started_at, job.not_before) == (started_at, None)
    assert registry.attempts(1) == [attempt, second]
    assert registry.latest_attempts([1, 5]) == {1: second}
    assert story(registry, "attempt 1.1") == [
        f"attempt 1.1: None -> starting by controller: to be given to Ray as seedbed-{registry.id}-1-1",
        "attempt 1.1: starting -> running by controller: ",
        "attempt 1.1: running -> lost by controller: without an exit code: node lost",
    ]  # why is told once, by the job's own events


def test_an_attempt_s_end_is_not_half_written(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    starting, attempt = registry.begin_attempt(job, reason="", actor="controller")
    registry.ask(starting, Desired.STOP, reason="", actor="ann")
    with pytest.raises(StaleState):
        registry.end_attempt(starting, attempt, to=S.FAILED, reason="no such module", actor="controller", exit_code=1)
    assert registry.attempts(1) == [attempt]
    assert [event.to_state for event in registry.events("attempt 1.1")] == ["starting"]


def test_progress_is_no_event_and_may_hold_what_json_does_not(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    _, attempt = registry.begin_attempt(job, reason="", actor="controller")
    before = len(registry.events())
    heard = registry.update_attempt(attempt, heard_at=12.5, progress={"loss": float("nan"), "all": [1, float("inf")]})
    assert (heard.heard_at, heard.progress) == (12.5, {"loss": None, "all": [1, None]})
    assert registry.attempts(1) == [heard]
    assert len(registry.events()) == before


def test_an_attempt_that_somebody_else_ended_is_not_ended_again(registry, new):
    job, _ = registry.add_job(new, actor="ann")
    job, attempt = registry.begin_attempt(job, reason="", actor="controller")
    registry.update_attempt(attempt, state=AttemptState.ENDED, reason="exit 0", actor="controller")
    with pytest.raises(StaleState, match=r"attempt 1\.1 was starting"):
        registry.update_attempt(attempt, state=AttemptState.LOST, reason="silent", actor="controller")


def test_events_are_read_on_from_an_id_of_all_or_of_some(registry):
    for number in range(6):
        registry.event("run", f"demo-{number % 2}", reason=f"event {number}", actor="ann", details={"number": number})

    def reasons(*of, **wanted):
        return [event.reason[-1] for event in registry.events(*of, **wanted)]

    assert reasons() == ["0", "1", "2", "3", "4", "5"]
    assert reasons(after_id=2, limit=2) == ["2", "3"]
    assert reasons(limit=2, newest_first=True) == ["5", "4"]
    assert reasons("run demo-1") == ["1", "3", "5"]
    assert reasons("run demo-1", after_id=2, newest_first=True) == ["5", "3"]
    assert reasons(["run demo-0", "run demo-1", "run x"], limit=4) == ["0", "1", "2", "3"]
    assert reasons(["run demo-0", "run demo-1"], limit=3, newest_first=True) == ["5", "4", "3"]
    with pytest.raises(UsageError, match="'demo' is no subject of events"):
        registry.events("demo")


CHANGES = [
    "UPDATE events SET reason = 'nothing happened' WHERE id = 1",
    "DELETE FROM events WHERE id = 1",
    "DELETE FROM events",
    "INSERT INTO events VALUES (1, 0, 'x', 'job', '1', NULL, NULL, 'forged', '{}')"
    " ON CONFLICT (id) DO UPDATE SET reason = 'forged'",
]
CHANGES_OF_SQLITE = ["INSERT OR REPLACE INTO events VALUES (1, 0, 'x', 'job', '1', NULL, NULL, 'forged', '{}')"]
CHANGES_OF_POSTGRES = ["TRUNCATE events", "TRUNCATE jobs, events CASCADE"]


def test_events_are_not_changed_even_by_raw_sql(registry):
    event = registry.event("job", "1", reason="it happened", actor="ann")
    is_sqlite = registry.name.startswith("sqlite")
    engine = sa.create_engine(registry._database.engine.url)
    for change in CHANGES + (CHANGES_OF_SQLITE if is_sqlite else CHANGES_OF_POSTGRES):
        with (
            pytest.raises(sa.exc.DBAPIError, match="events are never changed or removed"),
            engine.begin() as connection,
        ):
            connection.exec_driver_sql(change)
        assert registry.events() == [event]
    engine.dispose()


def test_an_alarm_is_raised_once_while_it_stands(registry):
    def alarm(level, message, subject_id="12"):
        return registry.raise_alarm("silent", "job", subject_id, level=level, message=message, actor="controller")

    first = alarm(Level.WARNING, "not heard for 40 s")
    assert alarm(Level.WARNING, "not heard for 40 s") == first
    later = alarm(Level.WARNING, "not heard for 50 s")
    assert (later.id, later.message, later.raised_at) == (first.id, "not heard for 50 s", first.raised_at)
    worse = alarm(Level.CRITICAL, "not heard for 300 s")
    other = alarm(Level.WARNING, "not heard for 40 s", "13")
    assert registry.alarms() == [other, worse]
    seen = registry.acknowledge(worse.id, actor="bob")
    assert (seen.acknowledged_by, registry.alarms()) == ("bob", [other, seen])
    assert registry.clear_alarm("silent", "job", "12", reason="heard again", actor="controller")
    assert not registry.clear_alarm("silent", "job", "12", reason="heard again", actor="controller")
    assert registry.alarms() == [other]
    assert alarm(Level.WARNING, "not heard for 41 s").id not in (first.id, other.id)
    assert [(event.details["what"], event.details["level"], event.reason) for event in registry.events("job 12")] == [
        ("raised", "warning", "not heard for 40 s"),
        ("raised", "critical", "not heard for 300 s"),
        ("acknowledged", "critical", "not heard for 300 s"),
        ("cleared", "critical", "heard again"),
        ("raised", "warning", "not heard for 41 s"),
    ]
    assert len(registry.alarms(standing=False)) == 3


def test_an_alarm_that_there_is_not_is_not_acknowledged(registry):
    with pytest.raises(UsageError, match="no alarm 4"):
        registry.acknowledge(4, actor="bob")


def test_clusters_are_kept_by_name_and_tell_of_their_state(registry):
    with pytest.raises(UsageError, match="no cluster 'local' is registered; `seedbed cluster up` makes one"):
        registry.cluster("local")
    cluster = Cluster("local", "http://127.0.0.1:8265", "127.0.0.1:6379", ClusterState.UP, token_file="/state/token")
    registry.save_cluster(cluster, reason="brought up", actor="ann")
    registry.save_cluster(cluster, reason="is up", actor="ann")
    assert registry.cluster("local") == cluster
    seen = registry.update_cluster("local", snapshot={"nodes": []}, heard_at=3.0)
    assert registry.clusters() == [seen] == [dataclasses.replace(cluster, snapshot={"nodes": []}, heard_at=3.0)]
    registry.update_cluster("local", state=ClusterState.UNREACHABLE, reason="refused", actor="controller")
    with pytest.raises(UsageError, match="no cluster 'x' is registered; known are local"):
        registry.update_cluster("x", heard_at=3.0)
    assert story(registry) == [
        "cluster local: None -> up by ann: brought up",
        "cluster local: up -> unreachable by controller: refused",
    ]


def test_one_run_id_in_two_stores_is_two_runs(registry):
    def run(store, created_at, **more):
        return Run("demo-1", store, "demo", created_at, **({"state": "planned"} | more))

    old, newer = run("/a", 1.0), run("/b", 2.0)
    for each in (old, newer, dataclasses.replace(old, seen_at=7.0)):
        registry.see_run(each, actor="store")
    assert registry.runs() == [newer, old]
    assert registry.run("demo-1") == newer
    assert registry.run("demo-1", "/a") == old
    failed = registry.see_run(
        run("/a", 1.0, state="failed", reason="full disk", summary={"attempts": 1}), actor="store"
    )
    assert registry.runs(state="failed") == [failed]
    assert registry.runs(store_url="/b") == [newer]
    with pytest.raises(UsageError, match="no run 'x' is known"):
        registry.run("x")
    assert [(event.from_state, event.to_state, event.details) for event in registry.events("run demo-1")] == [
        (None, "planned", {"store": "/a"}),
        (None, "planned", {"store": "/b"}),
        ("planned", "failed", {"store": "/a"}),
    ]


def test_text_that_no_database_takes_is_kept_as_near_as_may_be(registry):
    reason = "half \ud83d of a pair, a \0, and <script>alert(1)</script> \U0001f331"
    event = registry.event("job", "1", reason=reason, actor="ann\0", details={"title": "\0\ud83d"})
    assert event.reason == "half ? of a pair, a \ufffd, and <script>alert(1)</script> \U0001f331"
    assert event.details == {"title": "\0\ud83d"}
    assert registry.events() == [event]


def test_what_was_written_is_there_when_it_is_opened_again(open_it, new):
    first = open_it()
    job, _ = first.add_job(new, actor="ann")
    first.close()
    second = open_it()
    assert second.id == first.id
    assert second.jobs() == [job]


def test_one_leads_until_its_time_is_over(registry, open_it):
    other = open_it()
    assert registry.lead("controller", "a", seconds=3600)
    assert registry.lead("controller", "a", seconds=3600)
    assert not other.lead("controller", "b", seconds=3600)
    assert other.lead("something else", "b", seconds=3600)
    assert other.leader("controller") == "a"
    registry.stop_leading("controller", "b")
    assert other.leader("controller") == "a"
    registry.lead("controller", "a", seconds=-1)
    assert other.leader("controller") is None
    assert other.lead("controller", "b", seconds=3600)
    assert not registry.lead("controller", "a", seconds=3600)
    other.stop_leading("controller", "b")
    assert registry.lead("controller", "a", seconds=3600)


def test_a_table_that_is_gone_is_told_as_an_error_of_the_registry(registry):
    with registry._database.write() as connection:
        connection.exec_driver_sql("DROP TABLE clusters")
    with pytest.raises(RegistryError, match="clusters"):
        registry.clusters()
