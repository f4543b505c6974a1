"""Where the newest dashboard of a registry is, for the pages of others that lead to it."""

import sqlalchemy as sa

from seedbed.registry.database import Database
from seedbed.registry.schema import registry


class Dashboards:
    """The address of a registry's dashboard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def dashboard_url(self) -> str | None:
        """Of the one that was started last, whether it is up or not; None before the first."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(sa.select(registry.c.dashboard_url))
            return found

    def save_dashboard_url(self, url: str) -> None:
        """Remember it for jobs that are started from now on."""
        with self._database.write() as connection:
            connection.execute(sa.update(registry).values(dashboard_url=url))
