"""Where the newest dashboard is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("registry", sa.Column("dashboard_url", sa.String()))
