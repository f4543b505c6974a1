"""The registry: one source of truth for jobs, attempts, events, alarms, clusters and runs."""

import sqlalchemy as sa

from seedbed.registry.alarms import Alarms
from seedbed.registry.attempts import Attempts
from seedbed.registry.clusters import Clusters
from seedbed.registry.dashboards import Dashboards
from seedbed.registry.database import Database
from seedbed.registry.events import Events
from seedbed.registry.jobs import Jobs
from seedbed.registry.leads import Leads
from seedbed.registry.schema import registry
from seedbed.registry.seen_runs import SeenRuns


class Registry(Jobs, Attempts, Events, Alarms, Clusters, SeenRuns, Leads, Dashboards):
    """Opened by `seedbed.registry.database.open_registry`.

    Every change is one transaction that also writes its event. Writers take turns, so event ids ascend in the order in
    which they become visible: who has read up to an id misses nothing. Safe for threads; every process opens its own.
    Where the database is out of reach or busy for longer than its patience every method raises RegistryUnreachable
    (`transient`); whether a change that raised it was made is then unknown until the record is read again.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.name = database.name
        """The URL as it may be shown, without passwords."""
        self.is_of_this_machine = database.is_sqlite
        """A file, and not a server that many machines share."""
        with database.read() as connection:
            self.id = str(connection.scalar(sa.select(registry.c.id)))
        """8 hex digits, drawn when it was made: part of submission ids, which so differ between registries."""

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
