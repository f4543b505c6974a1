"""Migrations: what they make is what the code says, older registries keep their rows, newer ones are left alone."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from seedbed.errors import RegistryError
from seedbed.registry.database import Database, open_registry
from seedbed.registry.migrate import alembic_config, bring_up_to_date
from seedbed.registry.schema import HEAD, VERSION_TABLE, metadata
from seedbed.registry.states import JobState
from seedbed.state import StateDirectory

ROOT = Path(__file__).parents[3]
OPEN = """
print(registry.id, len(registry.jobs()), flush=True)
"""
OLD_JOB = {
    "id": 41, "key": "k", "run_id": "demo-1", "name": "demo", "project": "web", "owner": "ann", "cluster": "local",
    "store_url": "/store", "bundle": "f00d", "cpus": 1.0, "gpus": 0.0, "priority": 0, "max_retries": 2, "summary": {},
    "revision": 3, "state": "running", "state_since": 1.0, "desired": "run", "reason": "", "submitted_at": 1.0,
    "infrastructure_faults": 0, "user_faults": 0,
}  # fmt: skip


@pytest.fixture
def empty(empty_url):
    made = Database(empty_url)
    yield made
    made.close()


@pytest.fixture
def old(empty):
    """A registry of revision 0001 with a row in each table, as it was then."""
    bring_up_to_date(empty, "0001")
    tables = sa.MetaData()
    tables.reflect(empty.engine)
    with empty.write() as connection:
        for name, values in {
            "jobs": OLD_JOB,
            "attempts": {"job_id": 41, "number": 1, "submission_id": "seedbed-0-41-1", "state": "running",
                         "started_at": 2.0, "reason": "", "progress": {"step": 3}},
            "events": {"id": 9, "at": 1.0, "actor": "ann", "subject_kind": "job", "subject_id": "41",
                       "reason": "submitted", "to_state": "queued", "details": {}},
            "alarms": {"kind": "silent", "subject_kind": "job", "subject_id": "41", "level": "warning",
                       "message": "quiet", "raised_at": 1.0},
            "clusters": {"name": "local", "address": "http://127.0.0.1:8265", "gcs_address": "127.0.0.1:6379",
                         "state": "up", "snapshot": {}, "controller": {}},
            "runs": {"run_id": "demo-1", "store_url": "/store", "name": "demo", "project": "web", "created_at": 1.0,
                     "state": "running", "reason": "", "seen_at": 1.0, "summary": {}},
        }.items():  # fmt: skip
            connection.execute(sa.insert(tables.tables[name]).values(values))
    return empty


def indexes_and_triggers(database):
    """What a comparison of metadata overlooks: conditions of indexes, and triggers."""
    if database.is_sqlite:
        query = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    else:
        query = (
            "SELECT indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        )
    with database.read() as connection:
        return {name: re.sub(r"\s+", " ", text) for name, text in connection.exec_driver_sql(query)}


def test_the_migrations_make_what_the_code_says(empty, request):
    bring_up_to_date(empty)
    with empty.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
        assert [
            script.revision for script in ScriptDirectory.from_config(alembic_config(connection)).get_revisions("heads")
        ] == [HEAD]
    made = indexes_and_triggers(empty)
    triggers = {"events_update", "events_delete", "events_replace", "events_change", "events_truncate"} & made.keys()
    assert len(triggers) == (3 if empty.is_sqlite else 2)
    with empty.write() as connection:
        tables = ", ".join(metadata.tables)
        drops = [f"DROP TABLE {name}" for name in ("attempts", *(metadata.tables.keys() - {"attempts"}))]
        for statement in drops if empty.is_sqlite else [f"DROP TABLE {tables}"]:
            connection.exec_driver_sql(statement)
        metadata.create_all(connection)
    said = indexes_and_triggers(empty)
    assert {name: made[name] for name in made if name not in triggers and VERSION_TABLE not in name} == {
        name: said[name] for name in said if VERSION_TABLE not in name
    }


def test_an_older_registry_keeps_its_rows(old):
    before = indexes_and_triggers(old)
    del before["runs_project_created_at_run_id"]  # with its column, by revision 0005
    registry = open_registry(old.engine.url.render_as_string(hide_password=False), StateDirectory("."))
    [job] = registry.jobs()
    assert (job.id, job.state, job.max_retries) == (41, JobState.RUNNING, 2)
    assert registry.attempts(41)[0].progress == {"step": 3}
    assert [event.id for event in registry.events()] == [9]
    assert [alarm.message for alarm in registry.alarms()] == ["quiet"]
    assert [cluster.name for cluster in registry.clusters()] == ["local"]
    assert [(run.run_id, run.stamp) for run in registry.runs()] == [("demo-1", "")]
    assert before.items() <= indexes_and_triggers(old).items()
    registry.move(job, JobState.FINISHED, reason="done", actor="controller")
    registry.close()


def test_a_migration_that_fails_half_way_leaves_the_registry_as_it_was(old, monkeypatch):
    import alembic.operations

    def fail(*_, **__):
        raise RuntimeError("the power went")

    before = indexes_and_triggers(old)
    with monkeypatch.context() as broken, pytest.raises(RuntimeError, match="the power went"):
        broken.setattr(alembic.operations.Operations, "add_column", fail)  # after the table of leads was made
        bring_up_to_date(old)
    assert indexes_and_triggers(old) == before
    with old.read() as connection:
        assert not sa.inspect(connection).has_table("leads")
    bring_up_to_date(old)


def test_a_registry_of_a_newer_seedbed_is_left_alone(empty, empty_url):
    bring_up_to_date(empty)
    with empty.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    with pytest.raises(
        RegistryError, match=rf"has the schema 0999, and this Seedbed knows schemas up to {HEAD}: a newer"
    ):
        open_registry(empty_url, StateDirectory("."))


def test_a_database_of_another_program_is_left_alone(empty, empty_url):
    with empty.write() as connection:
        connection.exec_driver_sql("CREATE TABLE runs (run_uuid TEXT)")
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
    with pytest.raises(RegistryError, match=r"has tables of another program \(runs\): give Seedbed one of its own"):
        open_registry(empty_url, StateDirectory("."))
    with empty.read() as connection:
        assert sorted(sa.inspect(connection).get_table_names()) == ["alembic_version", "runs"]


@pytest.mark.parametrize("found", ["empty", "old"])
def test_processes_that_open_it_at_once_migrate_it_once(request, found, empty_url, start, working):
    request.getfixturevalue(found)
    processes = [start("import sys; sys.stdin.readline()\n" + working + OPEN, empty_url) for _ in range(3)]
    for process in processes:
        process.process.stdin.write("\n\n")
        process.process.stdin.flush()
    said = [(process.says(), process.says()) for process in processes]
    assert {ready for ready, _ in said} == {"ready"}
    assert len({line.split()[0] for _, line in said}) == 1
    assert {line.split()[1] for _, line in said} == {"1" if found == "old" else "0"}


@pytest.mark.slow
def test_the_wheel_brings_the_migrations(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT / "platform"))
        for path in (ROOT / "platform/seedbed/registry/migrations").rglob("*.py")
    }
    assert len(wanted) >= 3
    assert wanted <= shipped
