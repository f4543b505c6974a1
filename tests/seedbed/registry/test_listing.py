"""With 10,000 jobs and 200,000 events every list is read through an index: asked of the database's own planner."""

import json

import pytest
import sqlalchemy as sa

from seedbed.registry.records import Run
from seedbed.registry.states import ACTIVE, FINAL, JobState, Level

NUM_JOBS, NUM_EVENTS, NUM_RUNS = 10_000, 200_000, 5_000
NUM_WAITING = 20  # jobs that are not over

NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) ",
    "postgresql": "WITH n AS (SELECT generate_series(1, {}) AS i) ",
}
PROJECT = "CASE WHEN i < 4 THEN 'project-rare' ELSE 'project-' || (i % 5) END"
NAME = "CASE WHEN i = 5 THEN 'name-rare' ELSE 'name-' || (i % 40) END"
FILL = {
    "jobs (id, key, run_id, name, project, owner, cluster, store_url, bundle, cpus, gpus, priority, max_retries,"
    " summary, revision, state, state_since, desired, reason, submitted_at, infrastructure_faults, user_faults)": (
        NUM_JOBS,
        f"i, 'key-' || i, 'run-' || (i % 3000), {NAME}, {PROJECT}, 'ann', 'local', '/store', 'f00d', 1, 0, 0, 0,"
        f" '{{}}', 1, CASE WHEN i > {NUM_JOBS - NUM_WAITING} THEN 'queued' WHEN i % 7 = 0 AND i % 5 <> 4 THEN 'failed'"
        " ELSE 'finished' END, i, 'run', '', i, 0, 0",
    ),
    "attempts (job_id, number, submission_id, state, started_at, reason, progress)": (
        NUM_JOBS,
        "i, 1, 'seedbed-' || i, 'ended', i, '', '{}'",
    ),
    "events (at, actor, subject_kind, subject_id, reason, details)": (
        NUM_EVENTS,
        "i, 'ann', 'job', CAST(1 + i % 10000 AS TEXT), 'something', '{}'",
    ),
    "alarms (kind, subject_kind, subject_id, level, message, raised_at, cleared_at)": (
        NUM_JOBS,
        "'silent', 'job', CAST(i AS TEXT), 'warning', 'quiet', i, CASE WHEN i > 9990 THEN NULL ELSE i END",
    ),
    "runs (run_id, store_url, name, created_at, state, reason, seen_at, summary)": (
        NUM_RUNS,
        "'run-' || i, CASE WHEN i < 4 THEN '/store-rare' ELSE '/store-1' END, 'name', i / 3,"
        " CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'finished' END, '', i, '{}'",
    ),
}

LISTS = {
    "jobs": lambda registry: registry.jobs(limit=50),
    "jobs of the queue": lambda registry: registry.jobs(states=ACTIVE, limit=None),
    "jobs that are over": lambda registry: registry.jobs(states=FINAL, limit=50),
    "jobs of a project": lambda registry: registry.jobs(project="project-3", limit=50),
    "jobs of a project and state": lambda registry: registry.jobs(
        project="project-3", states=[JobState.FAILED], limit=50
    ),
    "jobs of a project with few": lambda registry: registry.jobs(project="project-rare", limit=50),
    "failed jobs of a project without": lambda registry: registry.jobs(project="project-4", states=[JobState.FAILED]),
    "jobs of a run": lambda registry: registry.jobs(run_id="run-7"),
    "a job": lambda registry: registry.job(77),
    "a job by name": lambda registry: registry.find_job("name-7"),
    "a job by a name that is rare": lambda registry: registry.find_job("name-rare"),
    "a job by its run": lambda registry: registry.find_job("run-7"),
    "attempts": lambda registry: registry.attempts(77),
    "latest attempts": lambda registry: registry.latest_attempts(range(1, 51)),
    "newest events": lambda registry: registry.events(limit=50, newest_first=True),
    "events from here": lambda registry: registry.events(after_id=199_900),
    "events of a job": lambda registry: registry.events("job 77", limit=50),
    "newest events of two": lambda registry: registry.events(["job 77", "job 78"], limit=50, newest_first=True),
    "alarms": lambda registry: registry.alarms(),
    "all alarms": lambda registry: registry.alarms(standing=False, limit=50),
    "an alarm that stands": lambda registry: registry.raise_alarm(
        "silent", "job", "9995", level=Level.WARNING, message="quiet", actor="controller"
    ),
    "runs": lambda registry: registry.runs(limit=50),
    "runs in a state": lambda registry: registry.runs(state="failed", limit=50),
    "runs of a store with few": lambda registry: registry.runs(store_url="/store-rare", limit=50),
    "runs of a store": lambda registry: registry.runs(store_url="/store-1", limit=50),
    "a run": lambda registry: registry.run("run-7"),
    "a submission": lambda registry: registry.add_job(registry.job(NUM_JOBS), actor="ann"),
}
MAX_READ = 3000
"""Rows that any of these may make Postgres read. Where it expects its 50 soon, it walks the jobs from the newest on and
leaves out what does not fit: 1,748 at most."""
MAX_STEPS = 5_000
"""Steps that SQLite may take: some dozens for each row; these take 2,300 at most."""


@pytest.fixture
def full(registry):
    """The registry with many rows, which its planner has counted."""
    with registry._database.write() as connection:
        kind = connection.dialect.name
        for table, (number, values) in FILL.items():
            numbers = NUMBERS[kind].format(number)
            values = values.replace("'{}'", "CAST('{}' AS JSON)") if kind == "postgresql" else values
            connection.execute(sa.text(f"INSERT INTO {table} {numbers} SELECT {values} FROM n"))
        connection.exec_driver_sql("ANALYZE")
    return registry


def queries_of(registry, ask):
    """What `ask` makes the database read: statements with their parameters."""
    asked = []

    def note(connection, cursor, statement, parameters, context, many):
        if statement.lstrip().startswith("SELECT") and "FROM" in statement:
            asked.append((statement, parameters))

    sa.event.listen(registry._database.engine, "before_cursor_execute", note)
    ask(registry)
    sa.event.remove(registry._database.engine, "before_cursor_execute", note)
    assert asked
    return asked


def check_sqlite(connection, statement, parameters):
    """SQLite says no more of a plan than its indexes, so what is counted are the steps of its virtual machine."""
    num_hundreds = 0

    def count():
        nonlocal num_hundreds
        num_hundreds += 1

    raw = connection.connection.dbapi_connection
    raw.set_progress_handler(count, 100)
    connection.exec_driver_sql(statement, parameters).all()
    raw.set_progress_handler(None, 0)
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert num_hundreds * 100 <= MAX_STEPS, (num_hundreds * 100, statement, plan)


def check_postgres(connection, statement, parameters):
    [[plan]] = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).all()
    [plan] = plan if isinstance(plan, list) else json.loads(plan)
    num_read = 0

    def walk(node):
        nonlocal num_read
        if "Relation Name" in node:
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            num_read += (node["Actual Rows"] + removed) * node["Actual Loops"]
        for child in node.get("Plans", []):
            walk(child)

    walk(plan["Plan"])
    assert num_read <= MAX_READ, (num_read, statement, json.dumps(plan, indent=1))


def test_lists_are_read_through_indexes_and_are_bounded(full):
    database = full._database
    for name, ask in LISTS.items():
        for statement, parameters in queries_of(full, ask):
            with database.read() as connection:
                try:
                    (check_sqlite if database.is_sqlite else check_postgres)(connection, statement, parameters)
                except AssertionError as error:
                    raise AssertionError(f"{name}: {error}") from None
    assert len(full.jobs()) == len(full.events()) == len(full.alarms(standing=False)) == len(full.runs()) == 500
    assert len(full.jobs(states=ACTIVE, limit=None)) == NUM_WAITING
    assert full.see_run(Run("run-x", "/store-1", "x", 9e9, "planned"), actor="store") == full.runs(limit=1)[0]
