"""Which machine a cluster's address is of, where several share a registry."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("clusters", sa.Column("host", sa.String()))
