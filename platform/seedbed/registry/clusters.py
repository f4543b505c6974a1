"""Clusters that jobs are submitted to, by name."""

import dataclasses
from typing import Any

import sqlalchemy as sa

from seedbed.errors import UsageError
from seedbed.registry.database import Database
from seedbed.registry.events import write_event
from seedbed.registry.records import Cluster
from seedbed.registry.schema import clusters
from seedbed.registry.states import ClusterState

_TOLD = ("state", "address", "gcs_address")
"""A change of these is an event; what a cluster is doing is not."""


class Clusters:
    """The clusters of a registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_cluster(self, cluster: Cluster, *, reason: str, actor: str) -> Cluster:
        """Insert or replace the cluster of this name; an event when it is new or its state or address changes."""
        with self._database.write() as connection:
            before = _find(connection, cluster.name)
            values = dataclasses.asdict(cluster)
            if before is None:
                connection.execute(sa.insert(clusters).values(values))
            else:
                connection.execute(sa.update(clusters).where(clusters.c.name == cluster.name).values(values))
            _tell(connection, before, cluster, reason, actor)
            return cluster

    def update_cluster(self, name: str, *, actor: str = "", reason: str = "", **changes: Any) -> Cluster:
        """The cluster with other fields (snapshot, heard_at, controller ..); an event when state or address change.

        Raises UsageError where there is none.
        """
        with self._database.write() as connection:
            before = _cluster(connection, name)
            after = dataclasses.replace(before, **changes)
            connection.execute(sa.update(clusters).where(clusters.c.name == name).values(changes))
            _tell(connection, before, after, reason, actor)
            return after

    def cluster(self, name: str) -> Cluster:
        """Raises UsageError with the names that are known."""
        with self._database.read() as connection:
            return _cluster(connection, name)

    def clusters(self) -> list[Cluster]:
        """By name."""
        with self._database.read() as connection:
            return [_as_cluster(row) for row in connection.execute(sa.select(clusters).order_by(clusters.c.name))]


def _find(connection: sa.Connection, name: str) -> Cluster | None:
    row = connection.execute(sa.select(clusters).where(clusters.c.name == name)).one_or_none()
    return None if row is None else _as_cluster(row)


def _cluster(connection: sa.Connection, name: str) -> Cluster:
    found = _find(connection, name)
    if found is None:
        known = connection.scalars(sa.select(clusters.c.name).order_by(clusters.c.name)).all()
        cure = f"known are {', '.join(known)}" if known else "`seedbed cluster up` makes one"
        raise UsageError(f"no cluster {name!r} is registered; {cure}")
    return found


def _tell(connection: sa.Connection, before: Cluster | None, after: Cluster, reason: str, actor: str) -> None:
    if before is not None and all(getattr(before, field) == getattr(after, field) for field in _TOLD):
        return
    write_event(
        connection,
        "cluster",
        after.name,
        from_state=before.state if before else None,
        to_state=after.state,
        reason=reason,
        actor=actor,
        details={"address": after.address},
    )


def _as_cluster(row: sa.Row[Any]) -> Cluster:
    values = dict(row._mapping)
    return Cluster(**values | {"state": ClusterState(values["state"])})
