"""Alarms: what a person should look at. One of a kind and subject stands at a time."""

import time
from typing import Any

import sqlalchemy as sa

from seedbed.errors import UsageError
from seedbed.registry.database import Database
from seedbed.registry.events import MAX_LISTED, write_event
from seedbed.registry.records import Alarm
from seedbed.registry.schema import alarms
from seedbed.registry.states import Level


class Alarms:
    """The alarms of a registry. Their events are events of what they are about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def raise_alarm(
        self, kind: str, subject_kind: str, subject_id: str, *, level: Level, message: str, actor: str
    ) -> Alarm:
        """The standing alarm of this kind and subject. One that stands already gets the new message; an event is
        written when it is new or its level changes."""
        with self._database.read() as connection:
            found = _standing(connection, kind, subject_kind, subject_id)
        if found is not None and (found.level, found.message) == (level, message):
            return found  # the controller says so each second
        with self._database.write() as connection:
            found = _standing(connection, kind, subject_kind, subject_id)
            if found is None:
                values: dict[str, Any] = {"kind": kind, "subject_kind": subject_kind, "subject_id": subject_id}
                values |= {"level": level, "message": message, "raised_at": time.time()}
                row = connection.execute(sa.insert(alarms).values(values).returning(*alarms.c)).one()
            else:
                query = sa.update(alarms).where(alarms.c.id == found.id).values(level=level, message=message)
                row = connection.execute(query.returning(*alarms.c)).one()
            if found is None or found.level != level:
                _tell(connection, _as_alarm(row), "raised", message, actor)
            return _as_alarm(row)

    def clear_alarm(self, kind: str, subject_kind: str, subject_id: str, *, reason: str, actor: str) -> bool:
        """Whether there was such an alarm; it is over, with an event."""
        with self._database.read() as connection:
            if _standing(connection, kind, subject_kind, subject_id) is None:
                return False
        with self._database.write() as connection:
            found = _standing(connection, kind, subject_kind, subject_id)
            if found is None:
                return False
            connection.execute(sa.update(alarms).where(alarms.c.id == found.id).values(cleared_at=time.time()))
            _tell(connection, found, "cleared", reason, actor)
            return True

    def acknowledge(self, alarm_id: int, *, actor: str) -> Alarm:
        """The alarm, seen by a person; it stands on. Raises UsageError where there is none."""
        with self._database.write() as connection:
            query = sa.update(alarms).where(alarms.c.id == alarm_id).values(acknowledged_by=actor)
            row = connection.execute(query.returning(*alarms.c)).one_or_none()
            if row is None:
                raise UsageError(f"no alarm {alarm_id}")
            alarm = _as_alarm(row)
            _tell(connection, alarm, "acknowledged", alarm.message, actor)
            return alarm

    def alarms(self, *, standing: bool = True, limit: int = MAX_LISTED) -> list[Alarm]:
        """The newest alarms, newest first; `standing` False for those that are over as well."""
        query = sa.select(alarms).order_by(alarms.c.id.desc()).limit(limit)
        if standing:
            query = query.where(alarms.c.cleared_at.is_(None))
        with self._database.read() as connection:
            return [_as_alarm(row) for row in connection.execute(query)]


def _standing(connection: sa.Connection, kind: str, subject_kind: str, subject_id: str) -> Alarm | None:
    query = sa.select(alarms).where(
        alarms.c.kind == kind,
        alarms.c.subject_kind == subject_kind,
        alarms.c.subject_id == subject_id,
        alarms.c.cleared_at.is_(None),
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _as_alarm(row)


def _tell(connection: sa.Connection, alarm: Alarm, what: str, reason: str, actor: str) -> None:
    details = {"alarm": alarm.kind, "alarm_id": alarm.id, "level": alarm.level, "what": what}
    write_event(connection, alarm.subject_kind, alarm.subject_id, reason=reason, actor=actor, details=details)


def _as_alarm(row: sa.Row[Any]) -> Alarm:
    values = dict(row._mapping)
    return Alarm(**values | {"level": Level(values["level"])})
