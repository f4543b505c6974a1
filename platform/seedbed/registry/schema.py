"""The registry's tables. A change here needs a migration beside it: a test compares the two."""

import sqlalchemy as sa

from seedbed.registry.states import FINAL

HEAD = "0005"
"""The newest migration. Known without loading Alembic, so that a registry that is up to date opens fast."""

VERSION_TABLE = "seedbed_version"
"""Where Alembic keeps the revision: not in its usual table, which MLflow uses in a database of its own."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_name)s_unique",
    },
)

IS_NOT_OVER = sa.text("state NOT IN ({})".format(", ".join(f"'{state}'" for state in sorted(FINAL))))
"""In a query it has to be this very text: SQLite takes the index of that name for no other."""

_STANDS = sa.text("cleared_at IS NULL")


class Text(sa.TypeDecorator[str]):
    """Text as it may come out of a crawl or an exception: what no database takes (NUL, halves of surrogate pairs)
    becomes a replacement character."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _json(name: str) -> "sa.Column[dict[str, object]]":
    return sa.Column(name, sa.JSON, nullable=False)


registry = sa.Table(  # one row
    "registry", metadata, sa.Column("id", Text, primary_key=True), sa.Column("dashboard_url", Text)
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", Text, nullable=False),
    sa.Column("run_id", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("project", Text, nullable=False),
    sa.Column("owner", Text, nullable=False),
    sa.Column("cluster", Text, nullable=False),
    sa.Column("store_url", Text, nullable=False),
    sa.Column("bundle", Text, nullable=False),
    sa.Column("cpus", sa.Double, nullable=False),
    sa.Column("gpus", sa.Double, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("after", sa.Integer, sa.ForeignKey("jobs.id")),
    sa.Column("max_retries", sa.Integer, nullable=False),
    sa.Column("until", Text),
    sa.Column("over_budget", Text),
    _json("summary"),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("state_since", sa.Double, nullable=False),
    sa.Column("desired", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("not_before", sa.Double),
    sa.Column("submitted_at", sa.Double, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("ended_at", sa.Double),
    sa.Column("infrastructure_faults", sa.Integer, nullable=False),
    sa.Column("user_faults", sa.Integer, nullable=False),
    sqlite_autoincrement=True,  # the id of a job is never given to another
)
sa.Index("jobs_key_not_over", jobs.c.key, unique=True, sqlite_where=IS_NOT_OVER, postgresql_where=IS_NOT_OVER)
sa.Index(None, jobs.c.state, jobs.c.id)
sa.Index(None, jobs.c.project, jobs.c.id)
sa.Index(None, jobs.c.project, jobs.c.state, jobs.c.id)
sa.Index(None, jobs.c.run_id, jobs.c.id)
sa.Index(None, jobs.c.name, jobs.c.id)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("job_id", sa.Integer, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("submission_id", Text, nullable=False, unique=True),
    sa.Column("state", Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("failure", Text),
    sa.Column("reason", Text, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("node", Text),
    sa.Column("heard_at", sa.Double),
    sa.Column("ended_at", sa.Double),
    _json("progress"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", Text, nullable=False),
    sa.Column("subject_kind", Text, nullable=False),
    sa.Column("subject_id", Text, nullable=False),
    sa.Column("from_state", Text),
    sa.Column("to_state", Text),
    sa.Column("reason", Text, nullable=False),
    _json("details"),
    sqlite_autoincrement=True,
)
sa.Index(None, events.c.subject_kind, events.c.subject_id, events.c.id)

alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("subject_kind", Text, nullable=False),
    sa.Column("subject_id", Text, nullable=False),
    sa.Column("level", Text, nullable=False),
    sa.Column("message", Text, nullable=False),
    sa.Column("raised_at", sa.Double, nullable=False),
    sa.Column("cleared_at", sa.Double),
    sa.Column("acknowledged_by", Text),
    sqlite_autoincrement=True,
)
sa.Index(
    "alarms_standing",
    alarms.c.kind,
    alarms.c.subject_kind,
    alarms.c.subject_id,
    unique=True,
    sqlite_where=_STANDS,
    postgresql_where=_STANDS,
)

clusters = sa.Table(
    "clusters",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("address", Text, nullable=False),
    sa.Column("gcs_address", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("mlflow_uri", Text),
    sa.Column("token_file", Text),
    sa.Column("host", Text),
    sa.Column("heard_at", sa.Double),
    _json("snapshot"),
    _json("controller"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", Text, primary_key=True),
    sa.Column("store_url", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("stamp", Text, nullable=False, server_default=sa.text("''")),
    _json("summary"),
)
# Run id last in each: two runs of one second have an order.
sa.Index(None, runs.c.created_at, runs.c.run_id)
sa.Index(None, runs.c.state, runs.c.created_at, runs.c.run_id)
sa.Index(None, runs.c.store_url, runs.c.created_at, runs.c.run_id)

leads = sa.Table(
    "leads",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("holder", Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)
