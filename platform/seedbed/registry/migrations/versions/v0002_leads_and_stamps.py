"""Who leads, and what tells a changed run.json without reading it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="leads_pk"),
    )
    op.add_column("runs", sa.Column("stamp", sa.String(), nullable=False, server_default=sa.text("''")))
