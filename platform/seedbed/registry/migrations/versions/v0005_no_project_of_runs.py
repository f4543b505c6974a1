"""A run has no project of its own: it is in that of its newest job."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index("runs_project_created_at_run_id", table_name="runs")
    with op.batch_alter_table("runs") as table:  # SQLite before 3.35 drops no column: the table is made anew
        table.drop_column("project")
