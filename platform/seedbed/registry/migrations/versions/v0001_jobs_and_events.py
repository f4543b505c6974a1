"""Jobs, attempts, events that nobody changes, alarms, clusters, runs."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_IS_NOT_OVER = sa.text("state NOT IN ('failed', 'finished', 'lost', 'stopped')")
_STANDS = sa.text("cleared_at IS NULL")

_REFUSED = "events are never changed or removed"
# A migration that makes the table `events` anew has to carry these out again: they go with the table.
_SQLITE_TRIGGERS = (
    f"CREATE TRIGGER events_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    f"CREATE TRIGGER events_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    # REPLACE removes a row without asking the trigger before.
    "CREATE TRIGGER events_replace BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
)
_POSTGRES_TRIGGERS = (
    "CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
    "CREATE TRIGGER events_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_refuse()",
    "CREATE TRIGGER events_truncate BEFORE TRUNCATE ON events EXECUTE FUNCTION events_refuse()",
)


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("raised_at", sa.Double(), nullable=False),
        sa.Column("cleared_at", sa.Double()),
        sa.Column("acknowledged_by", sa.String()),
        sa.PrimaryKeyConstraint("id", name="alarms_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "alarms_standing",
        "alarms",
        ["kind", "subject_kind", "subject_id"],
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    )
    op.create_table(
        "clusters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("gcs_address", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("mlflow_uri", sa.String()),
        sa.Column("token_file", sa.String()),
        sa.Column("heard_at", sa.Double()),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("controller", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="clusters_pk"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("from_state", sa.String()),
        sa.Column("to_state", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="events_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_subject_kind_subject_id_id", "events", ["subject_kind", "subject_id", "id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("store_url", sa.String(), nullable=False),
        sa.Column("bundle", sa.String(), nullable=False),
        sa.Column("cpus", sa.Double(), nullable=False),
        sa.Column("gpus", sa.Double(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer()),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("until", sa.String()),
        sa.Column("over_budget", sa.String()),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_since", sa.Double(), nullable=False),
        sa.Column("desired", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("not_before", sa.Double()),
        sa.Column("submitted_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("infrastructure_faults", sa.Integer(), nullable=False),
        sa.Column("user_faults", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["after"], ["jobs.id"], name="jobs_after_fk"),
        sa.PrimaryKeyConstraint("id", name="jobs_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "jobs_key_not_over", "jobs", ["key"], unique=True, sqlite_where=_IS_NOT_OVER, postgresql_where=_IS_NOT_OVER
    )
    op.create_index("jobs_name_id", "jobs", ["name", "id"])
    op.create_index("jobs_project_id", "jobs", ["project", "id"])
    op.create_index("jobs_project_state_id", "jobs", ["project", "state", "id"])
    op.create_index("jobs_run_id_id", "jobs", ["run_id", "id"])
    op.create_index("jobs_state_id", "jobs", ["state", "id"])
    op.create_table(
        "registry", sa.Column("id", sa.String(), nullable=False), sa.PrimaryKeyConstraint("id", name="registry_pk")
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("store_url", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "store_url", name="runs_pk"),
    )
    op.create_index("runs_created_at_run_id", "runs", ["created_at", "run_id"])
    op.create_index("runs_project_created_at_run_id", "runs", ["project", "created_at", "run_id"])
    op.create_index("runs_state_created_at_run_id", "runs", ["state", "created_at", "run_id"])
    op.create_index("runs_store_url_created_at_run_id", "runs", ["store_url", "created_at", "run_id"])
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("failure", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("node", sa.String()),
        sa.Column("heard_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="attempts_job_id_fk"),
        sa.PrimaryKeyConstraint("job_id", "number", name="attempts_pk"),
        sa.UniqueConstraint("submission_id", name="attempts_submission_id_unique"),
    )

    registry = sa.table("registry", sa.column("id"))
    op.execute(sa.insert(registry).values(id=secrets.token_hex(4)))
    for statement in _SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else _POSTGRES_TRIGGERS:
        op.execute(statement)
