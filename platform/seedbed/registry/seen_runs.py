"""Runs that stores hold, as they were when they were last looked at; the store itself has the last word."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from seedbed.errors import UsageError
from seedbed.registry.database import Database
from seedbed.registry.events import MAX_LISTED, write_event
from seedbed.registry.records import Run
from seedbed.registry.schema import runs


class SeenRuns:
    """The runs that a registry knows of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see_run(self, run: Run, *, actor: str) -> Run:
        """Insert or update; an event when it is new or its state changed. Nothing is written when nothing changed but
        the time at which it was seen."""
        [seen] = self.see_runs([run], actor=actor)
        return seen

    def see_runs(self, seen: Sequence[Run], *, actor: str) -> list[Run]:
        """As `see_run`, all in one transaction; none for nothing, as stores are looked at all the time."""
        if not seen:
            return []
        with self._database.write() as connection:
            return [_see(connection, run, actor) for run in seen]

    def run(self, run_id: str, store_url: str | None = None) -> Run:
        """The run of this id, the newest where several stores hold it. Raises UsageError where there is none."""
        query = sa.select(runs).where(runs.c.run_id == run_id)
        if store_url is not None:
            query = query.where(runs.c.store_url == store_url)
        with self._database.read() as connection:
            found = [_as_run(row) for row in connection.execute(query)]
        if not found:
            raise UsageError(f"no run {run_id!r} is known; `seedbed show` looks into the store itself")
        return max(found, key=lambda run: run.created_at)

    def runs(
        self,
        *,
        state: str | None = None,
        store_url: str | None = None,
        limit: int | None = MAX_LISTED,
    ) -> list[Run]:
        """The newest runs, newest first."""
        query = sa.select(runs).order_by(runs.c.created_at.desc(), runs.c.run_id.desc()).limit(limit)
        wanted = {runs.c.state: state, runs.c.store_url: store_url}
        query = query.where(*(column == value for column, value in wanted.items() if value is not None))
        with self._database.read() as connection:
            return [_as_run(row) for row in connection.execute(query)]


def _see(connection: sa.Connection, run: Run, actor: str) -> Run:
    is_same = sa.and_(runs.c.run_id == run.run_id, runs.c.store_url == run.store_url)
    row = connection.execute(sa.select(runs).where(is_same)).one_or_none()
    before = None if row is None else _as_run(row)
    if before is not None and dataclasses.replace(before, seen_at=run.seen_at) == run:
        return before
    values = dataclasses.asdict(run)
    connection.execute(
        sa.insert(runs).values(values) if before is None else sa.update(runs).where(is_same).values(values)
    )
    if before is None or before.state != run.state:
        write_event(
            connection,
            "run",
            run.run_id,
            from_state=before.state if before else None,
            to_state=run.state,
            reason=run.reason,
            actor=actor,
            details={"store": run.store_url},
        )
    return run


def _as_run(row: sa.Row[Any]) -> Run:
    return Run(**row._mapping)
