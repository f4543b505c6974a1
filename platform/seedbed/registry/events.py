"""Events: what happened, to whom, by whom, and why. Rows that are added and never changed."""

import heapq
import itertools
import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from seedbed.errors import UsageError
from seedbed.registry.database import Database
from seedbed.registry.records import Event
from seedbed.registry.schema import events

MAX_LISTED = 500
"""Rows that a list gives unless told otherwise."""


def write_event(
    connection: sa.Connection,
    subject_kind: str,
    subject_id: str | int,
    *,
    reason: str,
    actor: str,
    from_state: str | None = None,
    to_state: str | None = None,
    details: dict[str, Any] | None = None,
) -> Event:
    """Write an event in the transaction of the change that it tells of."""
    row = connection.execute(
        sa.insert(events)
        .values(
            at=time.time(),
            actor=actor,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            from_state=from_state,
            to_state=to_state,
            reason=reason,
            details=details or {},
        )
        .returning(*events.c)
    ).one()
    return Event(**row._mapping)


class Events:
    """The events of a registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def event(
        self, subject_kind: str, subject_id: str, *, reason: str, actor: str, details: dict[str, Any] | None = None
    ) -> Event:
        """Write down something that changed no state."""
        with self._database.write() as connection:
            return write_event(connection, subject_kind, subject_id, reason=reason, actor=actor, details=details)

    def events(
        self,
        subject: str | Sequence[str] | None = None,
        *,
        after_id: int = 0,
        limit: int = MAX_LISTED,
        newest_first: bool = False,
    ) -> list[Event]:
        """Events after an id, of all subjects, of one (`job 12`) or of several: the first `limit`, or the last ones."""
        subjects = [subject] if isinstance(subject, str) else subject
        order = events.c.id.desc() if newest_first else events.c.id
        query = sa.select(events).where(events.c.id > after_id).order_by(order).limit(limit)
        # One query a subject: each walks an index and ends after `limit` rows.
        queries = [query] if subjects is None else [query.where(*_is_about(name)) for name in subjects]
        with self._database.read() as connection:
            found = [[Event(**row._mapping) for row in connection.execute(each)] for each in queries]
        merged = heapq.merge(*found, key=lambda event: event.id, reverse=newest_first)
        return list(itertools.islice(merged, limit))


def _is_about(subject: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    kind, space, name = subject.partition(" ")
    if not space:
        raise UsageError(f"{subject!r} is no subject of events; expected a kind and a name, such as `job 12`")
    return events.c.subject_kind == kind, events.c.subject_id == name
