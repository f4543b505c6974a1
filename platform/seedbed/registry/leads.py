"""Who leads: of several controllers of one registry one works and the others wait."""

import time

import sqlalchemy as sa

from seedbed.registry.database import Database
from seedbed.registry.schema import leads


class Leads:
    """Leads by name, each held for a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lead(self, name: str, holder: str, *, seconds: float) -> bool:
        """Whether `holder` leads `name` from now on for `seconds`: taken when nobody does, renewed by the same holder,
        by the database's clock. One that was suspended for longer is stopped by revisions and submission ids."""
        with self._database.write() as connection:
            now = self._now(connection)
            found = connection.execute(sa.select(leads).where(leads.c.name == name)).one_or_none()
            if found is None:
                connection.execute(sa.insert(leads).values(name=name, holder=holder, until=now + seconds))
                return True
            if found.holder != holder and found.until > now:
                return False
            connection.execute(sa.update(leads).where(leads.c.name == name).values(holder=holder, until=now + seconds))
            return True

    def stop_leading(self, name: str, holder: str) -> None:
        """Give the lead up, if `holder` has it."""
        with self._database.write() as connection:
            connection.execute(sa.delete(leads).where(leads.c.name == name, leads.c.holder == holder))

    def leader(self, name: str) -> str | None:
        """Who leads `name` now."""
        with self._database.read() as connection:
            now = self._now(connection)
            return connection.scalar(sa.select(leads.c.holder).where(leads.c.name == name, leads.c.until > now))

    def _now(self, connection: sa.Connection) -> float:
        if self._database.is_sqlite:  # all on this machine
            return time.time()
        return float(connection.scalar(sa.text("select extract(epoch from clock_timestamp())")))
